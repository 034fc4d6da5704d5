const INDEXES: ReadonlySet<string> = new Set([
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
]);
const IMAGES: ReadonlySet<string> = new Set([
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.oci.artifact.manifest.v1+json",
]);
const SCHEMA_1: ReadonlySet<string> = new Set([
  "application/vnd.docker.distribution.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v1+prettyjws",
]);

export const OCI_INDEX = "application/vnd.oci.image.index.v1+json";

/** Without parameters such as `charset`, which some registries add. */
function essence(mediaType: string): string {
  return (mediaType.split(";")[0] ?? "").trim().toLowerCase();
}

export function isIndexType(mediaType: string): boolean {
  return INDEXES.has(essence(mediaType));
}

export function isManifestType(mediaType: string): boolean {
  return INDEXES.has(essence(mediaType)) || IMAGES.has(essence(mediaType));
}

export function isSchema1Type(mediaType: string): boolean {
  return SCHEMA_1.has(essence(mediaType));
}

/** Layers that registries need not have. @see OCI image-spec, layer.md, "Non-Distributable Layers" */
export function isForeignLayer(layer: { readonly mediaType: string; readonly urls?: readonly string[] | undefined }) {
  return (
    layer.mediaType.startsWith("application/vnd.docker.image.rootfs.foreign.diff.") ||
    layer.mediaType.startsWith("application/vnd.oci.image.layer.nondistributable.") ||
    (layer.urls !== undefined && layer.urls.length > 0)
  );
}
