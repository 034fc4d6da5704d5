/**
 * A tag: a mutable name of a manifest.
 * @see OCI distribution-spec, spec.md, section "Pulling manifests" (`<reference>` as a tag)
 */
export type Tag = string & { readonly __brand: "Tag" };

const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/** `text` as a tag, or `undefined` if it is not one. */
export function parseTag(text: string): Tag | undefined {
  return TAG.test(text) ? (text as Tag) : undefined;
}
