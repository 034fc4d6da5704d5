import { essence, isImageManifest, isIndex } from "../oci/index.ts";

/**
 * Whether a client asks for an image and cannot take an index: its `Accept` names an image manifest's media type, no
 * index's, and no wildcard. Docker's registry gives such a client the image for linux/amd64.
 */
export function wantsImageOnly(header: string | null): boolean {
  if (header === null) return false;
  const types = header.split(",").map(essence);
  if (types.some((type) => isIndex(type) || type === "*/*" || type === "application/*")) return false;
  return types.some(isImageManifest);
}
