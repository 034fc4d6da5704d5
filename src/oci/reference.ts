import { err, ok, type Result } from "../platform/index.ts";
import { type Digest, parseDigest } from "./digest.ts";
import { parseTag, type Tag } from "./tag.ts";

/** What names a manifest within a repository. */
export type Reference =
  | { readonly kind: "tag"; readonly tag: Tag }
  | { readonly kind: "digest"; readonly digest: Digest };

/** Why a text names no manifest. */
export interface ReferenceFailure {
  readonly reason: "digest-invalid" | "tag-invalid";
}

/** Parses `<reference>`: anything with a colon can only be a digest, since tags have none. */
export function parseReference(text: string): Result<Reference, ReferenceFailure> {
  if (text.includes(":")) {
    const digest = parseDigest(text);
    return digest === undefined ? err({ reason: "digest-invalid" }) : ok({ kind: "digest", digest });
  }
  const tag = parseTag(text);
  return tag === undefined ? err({ reason: "tag-invalid" }) : ok({ kind: "tag", tag });
}

export function referenceText(reference: Reference): string {
  return reference.kind === "tag" ? reference.tag : reference.digest;
}
