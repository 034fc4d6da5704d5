/** Something that happened to content. */
export interface ContentEvent {
  /** Milliseconds since the Unix epoch. */
  readonly occurredAt: number;
  readonly action: "push" | "delete";
  readonly repository: string;
  readonly digest: string;
  readonly tag?: string;
  readonly mediaType?: string;
  /** Who did it, as `Identity.name`. */
  readonly actor: string;
}
