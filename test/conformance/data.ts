import { createHash } from "node:crypto";

/** Media types that the tests use. @see OCI image-spec, media-types.md */
export const MEDIA = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
  layerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  empty: "application/vnd.oci.empty.v1+json",
  octets: "application/octet-stream",
  example1: "application/vnd.example.conformance.one",
  example2: "application/vnd.example.conformance.two",
} as const;

export type Algorithm = "sha256" | "sha512";

/** A pointer to content. @see OCI image-spec, descriptor.md */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly [field: string]: unknown;
}

/** Bytes with a digest and a type. */
export interface Content {
  readonly bytes: Uint8Array;
  readonly digest: string;
  readonly mediaType: string;
}

/** A manifest, and what a registry must find in it. */
export interface ManifestContent extends Content {
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
  readonly subject: string | undefined;
}

let serial = 0;

/** Bytes that no earlier call has returned; the same ones in every run. */
export function uniqueBytes(length: number): Uint8Array {
  serial += 1;
  return createHash("shake256", { outputLength: length }).update(`conformance ${serial}`).digest();
}

export function digestOf(bytes: Uint8Array, algorithm: Algorithm = "sha256"): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
}

export function content(bytes: Uint8Array, mediaType: string = MEDIA.octets, algorithm: Algorithm = "sha256"): Content {
  return { bytes, mediaType, digest: digestOf(bytes, algorithm) };
}

/** A blob of its own. */
export function blob(length = 512, algorithm: Algorithm = "sha256", mediaType: string = MEDIA.octets): Content {
  return content(uniqueBytes(length), mediaType, algorithm);
}

export function descriptor({ mediaType, digest, bytes }: Content): Descriptor {
  return { mediaType, digest, size: bytes.byteLength };
}

export function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** Fields that image manifests and indexes share. */
export interface CommonFields {
  readonly algorithm?: Algorithm;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly subject?: Descriptor;
  /** Fields that no specification knows. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** An image manifest. */
export function imageManifest(
  config: Descriptor,
  layers: readonly Descriptor[],
  fields: CommonFields = {},
): ManifestContent {
  const { artifactType = config.mediaType } = fields;
  return { ...manifest(MEDIA.manifest, { config, layers }, fields), artifactType };
}

/** An image index. Its artifact type has no fallback. */
export function imageIndex(children: readonly Descriptor[], fields: CommonFields = {}): ManifestContent {
  return manifest(MEDIA.index, { manifests: children }, fields);
}

function manifest(mediaType: string, contents: object, fields: CommonFields): ManifestContent {
  const { algorithm = "sha256", artifactType, annotations, subject, extra } = fields;
  const bytes = jsonBytes({ schemaVersion: 2, mediaType, artifactType, ...contents, subject, annotations, ...extra });
  return { ...content(bytes, mediaType, algorithm), artifactType, annotations, subject: subject?.digest };
}

/** A small image whose blobs are its own: the config first. */
export function smallImage(fields: CommonFields = {}): {
  readonly manifest: ManifestContent;
  readonly blobs: readonly [config: Content, layer: Content];
} {
  const layer = blob(300, fields.algorithm, MEDIA.layerGzip);
  const config = content(
    jsonBytes({ os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: [layer.digest] } }),
    MEDIA.config,
    fields.algorithm,
  );
  return { manifest: imageManifest(descriptor(config), [descriptor(layer)], fields), blobs: [config, layer] };
}
