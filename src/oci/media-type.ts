/** Media types of manifests. @see OCI image-spec, media-types.md; Docker image manifest v2 schema 2 */
export const MEDIA_TYPES = {
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociIndex: "application/vnd.oci.image.index.v1+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  /** Withdrawn before OCI 1.1; registries still hold some. */
  artifactManifest: "application/vnd.oci.artifact.manifest.v1+json",
  schema1: "application/vnd.docker.distribution.manifest.v1+json",
  signedSchema1: "application/vnd.docker.distribution.manifest.v1+prettyjws",
} as const;

/** Layers that registries need not hold. @see image-spec, layer.md, section "Non-Distributable Layers" */
const NON_DISTRIBUTABLE = /^application\/vnd\.(oci\.image\.layer\.nondistributable\.|docker\.image\.rootfs\.foreign\.)/;

/** A media type without its parameters, lower-cased as RFC 9110 section 8.3.1 compares them: what the rest here take. */
export function essence(mediaType: string): string {
  const semicolon = mediaType.indexOf(";");
  return (semicolon < 0 ? mediaType : mediaType.slice(0, semicolon)).trim().toLowerCase();
}

export function isIndex(mediaType: string): boolean {
  return mediaType === MEDIA_TYPES.ociIndex || mediaType === MEDIA_TYPES.dockerList;
}

export function isImageManifest(mediaType: string): boolean {
  return mediaType === MEDIA_TYPES.ociManifest || mediaType === MEDIA_TYPES.dockerManifest;
}

/** Whether a manifest of the type names other content. */
export function isManifest(mediaType: string): boolean {
  return isIndex(mediaType) || isImageManifest(mediaType) || mediaType === MEDIA_TYPES.artifactManifest;
}

/** Docker's first format, whose digest is not that of its bytes. */
export function isSchema1(mediaType: string): boolean {
  return mediaType === MEDIA_TYPES.schema1 || mediaType === MEDIA_TYPES.signedSchema1;
}

export function isNonDistributable(mediaType: string): boolean {
  return NON_DISTRIBUTABLE.test(mediaType);
}
