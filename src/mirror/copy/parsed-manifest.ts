import { type Descriptor, digestAlgorithm, digestBytes, type Manifest, parseManifest } from "../../oci/index.ts";
import { type ManifestContent, RegistryError } from "../registry.ts";

/** A manifest as a registry is found to keep it, with all blobs that it names: its config first. */
export interface ParsedManifest extends Manifest {
  readonly blobs: readonly Descriptor[];
}

/**
 * Reads what a manifest names.
 * @throws RegistryError "unsupported" for schema 1, "refused" if it is no manifest
 */
export function parsedManifest({ bytes, mediaType, digest }: ManifestContent): ParsedManifest {
  const parsed = parseManifest(bytes, mediaType, { tolerant: true });
  if (parsed.ok) {
    const { config, layers } = parsed.value;
    return { ...parsed.value, blobs: config === undefined ? layers : [config, ...layers] };
  }
  const { reason, message } = parsed.error;
  throw reason === "schema-1"
    ? new RegistryError("unsupported", `${digest}: ${message}`)
    : new RegistryError("refused", `${digest} is no manifest: ${message}`);
}

/** @throws RegistryError "corrupt" if the bytes are not what the digest says */
export function verifyManifest(content: ManifestContent, digest: string): void {
  const actual = digestBytes(digestAlgorithm(digest), content.bytes);
  if (actual !== digest || content.digest !== digest) {
    throw new RegistryError("corrupt", `the manifest ${digest} has other content: ${actual}`);
  }
}
