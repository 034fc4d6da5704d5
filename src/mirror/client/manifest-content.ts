import { digestAlgorithm, digestBytes, isSchema1, parseDigest } from "../../oci/index.ts";
import type { ManifestContent } from "../registry.ts";
import { RegistryError } from "../registry.ts";

/** What is asked for; the last two, of schema 1, only to recognise them. */
export const MANIFEST_ACCEPT = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.v1+prettyjws",
  "application/vnd.docker.distribution.manifest.v1+json",
].join(", ");

/** The media type without parameters, in lower case; `undefined` if it says nothing about a manifest. */
export function manifestMediaType(contentType: string | null): string | undefined {
  const type = contentType?.split(";")[0]?.trim().toLowerCase();
  return type === undefined || !/^application\/.+\+(?:json|prettyjws)$/.test(type) ? undefined : type;
}

/**
 * A manifest from the bytes and headers of an answer. Throws `corrupt` if the bytes are not what `reference` (if it is
 * a digest) or `Docker-Content-Digest` says, `unsupported` for schema 1.
 */
export function verifiedManifest(
  bytes: Uint8Array,
  headers: Headers,
  reference: string,
  describe: string,
): ManifestContent {
  const mediaType = manifestMediaType(headers.get("content-type")) ?? sniffed(bytes);
  // Its digest is not that of its bytes.
  if (isSchema1(mediaType)) {
    throw new RegistryError("unsupported", `${describe}: the image is of schema 1, which is not copied`);
  }
  const expected = parseDigest(reference) ?? parseDigest(headers.get("docker-content-digest") ?? "");
  const digest = digestBytes(expected === undefined ? "sha256" : digestAlgorithm(expected), bytes);
  if (expected !== undefined && digest !== expected) {
    throw new RegistryError("corrupt", `${describe}: the bytes are ${digest}, not ${expected}`);
  }
  return { mediaType, digest, bytes };
}

/** What the manifest itself says it is, or looks like. @see OCI image-spec, manifest.md, `mediaType` */
function sniffed(bytes: Uint8Array): string {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return "application/octet-stream";
  }
  if (typeof value !== "object" || value === null) return "application/octet-stream";
  if ("mediaType" in value && typeof value.mediaType === "string") return value.mediaType;
  if ("schemaVersion" in value && value.schemaVersion === 1)
    return "application/vnd.docker.distribution.manifest.v1+json";
  if ("manifests" in value) return "application/vnd.oci.image.index.v1+json";
  return "layers" in value ? "application/vnd.oci.image.manifest.v1+json" : "application/octet-stream";
}
