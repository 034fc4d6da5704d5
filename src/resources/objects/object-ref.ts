/** Names an object among those of its kind. Metadata of a stored object is one. */
export interface ObjectRef {
  /** Absent for objects of the whole cluster. */
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** Names the object of a row, which has the empty text for the namespace of objects of the whole cluster. */
export function refOf({ namespace, name }: { readonly namespace: string; readonly name: string }): ObjectRef {
  return namespace === "" ? { name } : { namespace, name };
}
