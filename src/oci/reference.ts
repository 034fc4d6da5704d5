import { type Digest, parseDigest } from "./digest.ts";
import { parseTag, type Tag } from "./tag.ts";

/** What names a manifest within a repository. */
export type Reference =
  | { readonly kind: "tag"; readonly tag: Tag }
  | { readonly kind: "digest"; readonly digest: Digest };

export type ReferenceFailure = "digest-invalid" | "tag-invalid";

/** Parses `<reference>`: anything with a colon can only be a digest, since tags have none. */
export function parseReference(text: string): Reference | ReferenceFailure {
  if (text.includes(":")) {
    const digest = parseDigest(text);
    return digest === undefined ? "digest-invalid" : { kind: "digest", digest };
  }
  const tag = parseTag(text);
  return tag === undefined ? "tag-invalid" : { kind: "tag", tag };
}

export function referenceText(reference: Reference): string {
  return reference.kind === "tag" ? reference.tag : reference.digest;
}
