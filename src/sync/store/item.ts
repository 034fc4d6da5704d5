/** Where an item stands. The first two are of items that are not done. */
export type ItemState = "pending" | "copying" | "copied" | "unchanged" | "skipped" | "failed" | "conflict" | "canceled";

/** States in which an item is done. */
export type ItemEndState = Exclude<ItemState, "pending" | "copying">;

/** Where an item goes: a registry by its name, a repository there and a tag. */
export interface ItemTarget {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  /** Another image is there and may not be replaced: nothing is written, and the item is in conflict. */
  readonly state?: "conflict";
}

/** An item as the plan found it. */
export interface NewItem {
  /** At the source. */
  readonly repository: string;
  readonly tag: string;
  /** As resolved at the source when it was planned. */
  readonly digest: string;
  readonly targets: readonly ItemTarget[];
  /** `pending`, or what the plan made of it without a copy. */
  readonly state: "pending" | "unchanged" | "skipped" | "conflict" | "failed";
  /** What kind of failure it is; `collision` if another image of the run has its name at a target. */
  readonly errorClass?: "collision";
  /** Why it is skipped, in conflict or failed. */
  readonly error?: string;
}

/** One tag of one repository in one run. Times are milliseconds since the Unix epoch. */
export interface StoredItem {
  readonly id: number;
  readonly execution: number;
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
  readonly targets: readonly ItemTarget[];
  readonly state: ItemState;
  /** How often its copy was begun. */
  readonly attempts: number;
  /** What kind of failure it was, as `ItemFailure` calls them. */
  readonly errorClass: string | null;
  readonly error: string | null;
  /** Bytes that were copied for it. */
  readonly bytes: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** Not to be begun earlier. */
  readonly notBefore: number;
  /** Until when somebody works on it. */
  readonly leaseUntil: number;
}
