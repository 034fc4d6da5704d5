/** Names an object among those of its kind. Metadata of a stored object is one. */
export interface ObjectRef {
  /** Absent for objects of the whole cluster. */
  readonly namespace?: string | undefined;
  readonly name: string;
}
