import type { BlobCounts, CopyOutcome } from "../copy/index.ts";
import type { RegistryFailure } from "../registry.ts";
import type { ImageName } from "../plan/index.ts";

export type ItemOutcome =
  | CopyOutcome
  /** Of a dry run. */
  | "would-copy"
  | "canceled";

/** What kind of failure it was: `collision` if another image has its name at a target, which only a whole run can tell. */
export type ItemFailure = RegistryFailure | "collision";

/** How it went with an image at one target. */
export interface ItemTarget {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  readonly outcome: ItemOutcome;
  readonly digest?: string;
  readonly error?: string;
}

/** How it went with one image. */
export interface ItemResult extends ImageName {
  readonly outcome: ItemOutcome;
  /** What the tag stood for at the source. */
  readonly digest?: string;
  /** Bytes of blobs that were sent, to all targets together. */
  readonly bytes: number;
  readonly blobs: BlobCounts;
  /** Why it failed, was skipped or is a conflict. */
  readonly error?: string;
  readonly failure?: ItemFailure;
  readonly warnings: readonly string[];
  readonly targets: readonly ItemTarget[];
}

/** A list that could not be read; without a repository it is that of the repositories. */
export interface ListingFailure {
  readonly repository?: string;
  readonly error: string;
}

/** What was deleted at a target, or would be; or why nothing was. */
export interface PruneResult {
  readonly registry: string;
  readonly repository: string;
  readonly tags: readonly string[];
  readonly dryRun: boolean;
  readonly refused?: string;
  /** Tags that could not be deleted, and why. */
  readonly failed: readonly { readonly tag: string; readonly error: string }[];
}

/** `unchanged`: there was nothing to do. `partial`: some of it failed. */
export type RunState = "succeeded" | "unchanged" | "partial" | "failed" | "canceled";

/** How many images ended how, and how many tags were deleted at targets, or would be. */
export type RunCounts = Readonly<Record<ItemOutcome | "deleted" | "would-delete", number>>;

/** What became of a run. Times in milliseconds since 1970. */
export interface RunSummary {
  readonly task: string;
  readonly state: RunState;
  readonly dryRun: boolean;
  readonly items: readonly ItemResult[];
  readonly counts: RunCounts;
  readonly listingFailures: readonly ListingFailure[];
  readonly pruned: readonly PruneResult[];
  readonly bytes: number;
  readonly blobs: BlobCounts;
  readonly warnings: readonly string[];
  readonly startedAt: number;
  readonly endedAt: number;
}

export const NO_BLOBS: BlobCounts = { copied: 0, mounted: 0, skipped: 0 };

/** What a run comes to, from the parts of it. */
export function summarize(
  run: Omit<RunSummary, "state" | "counts" | "bytes" | "blobs"> & { readonly canceled: boolean },
): RunSummary {
  const { canceled, ...parts } = run;
  const counts = countOutcomes(run.items, run.pruned);
  const sum = (of: (item: ItemResult) => number) => run.items.reduce((total, item) => total + of(item), 0);
  return {
    ...parts,
    state: stateOf(run, counts, canceled),
    counts,
    bytes: sum(({ bytes }) => bytes),
    blobs: {
      copied: sum(({ blobs }) => blobs.copied),
      mounted: sum(({ blobs }) => blobs.mounted),
      skipped: sum(({ blobs }) => blobs.skipped),
    },
  };
}

function countOutcomes(items: readonly ItemResult[], pruned: readonly PruneResult[]): RunCounts {
  const counts = { copied: 0, unchanged: 0, skipped: 0, conflict: 0, failed: 0, "would-copy": 0, canceled: 0 };
  for (const { outcome } of items) counts[outcome] += 1;
  const gone = (dry: boolean) =>
    pruned.reduce((total, { tags, dryRun }) => total + (dryRun === dry ? tags.length : 0), 0);
  return { ...counts, deleted: gone(false), "would-delete": gone(true) };
}

const WORKED: ReadonlySet<ItemOutcome> = new Set(["copied", "unchanged", "skipped", "would-copy"]);

function stateOf(
  { items, listingFailures, pruned }: Pick<RunSummary, "items" | "listingFailures" | "pruned">,
  counts: RunCounts,
  canceled: boolean,
): RunState {
  if (canceled) return "canceled";
  const pruneFailures = pruned.reduce((total, { failed }) => total + failed.length, 0);
  const { deleted } = counts;
  const failures = counts.failed + counts.conflict + listingFailures.length + pruneFailures;
  // An image that failed at one target may have got to another.
  const worked =
    deleted > 0 ||
    items.some(({ outcome, targets }) => WORKED.has(outcome) || targets.some((target) => target.outcome === "copied"));
  if (failures > 0) return worked ? "partial" : "failed";
  return counts.copied + counts["would-copy"] + deleted > 0 ? "succeeded" : "unchanged";
}
