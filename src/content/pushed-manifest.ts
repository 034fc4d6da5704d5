import { type Digest, type Manifest, isNonDistributable, parseManifest } from "../oci/index.ts";
import { err, ok, type Result } from "../platform/index.ts";

/** Largest manifest accepted, in bytes. @see OCI distribution-spec: registries should accept at least 4 MiB */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** Most content that one manifest may name. The database takes their digests as one text of at most 2 MB. */
const MAX_REFERENCES = 10_000;

/** Content that a manifest names. Only what is `required` must be in the repository before the manifest. */
export interface ManifestReference {
  readonly kind: "config" | "layer" | "manifest";
  readonly digest: Digest;
  readonly required: boolean;
}

/** A manifest as it was pushed, and what it refers to. */
export interface PushedManifest {
  readonly manifest: Manifest;
  readonly references: readonly ManifestReference[];
}

/**
 * Reads a manifest that is pushed. The failure is a sentence for the client.
 * @param sparseIndexes children of an index need not be there
 */
export function readPushedManifest(
  bytes: Uint8Array,
  contentType: string | undefined,
  sparseIndexes: boolean,
): Result<PushedManifest, string> {
  const parsed = parseManifest(bytes, contentType);
  if (!parsed.ok) return err(parsed.error.message);
  const manifest = parsed.value;
  const references = [...referencesOf(manifest, !sparseIndexes)];
  if (references.length > MAX_REFERENCES) return err(`names more than ${MAX_REFERENCES} descriptors`);
  return ok({ manifest, references });
}

function* referencesOf({ config, layers, children }: Manifest, childrenRequired: boolean): Iterable<ManifestReference> {
  if (config !== undefined) yield { kind: "config", digest: config.digest, required: true };
  for (const { digest, mediaType } of layers) {
    yield { kind: "layer", digest, required: !isNonDistributable(mediaType) };
  }
  for (const { digest } of children) yield { kind: "manifest", digest, required: childrenRequired };
}
