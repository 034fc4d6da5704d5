import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { pseudoRandom, tar } from "./tar.ts";

/** @see OCI image-spec, descriptor.md */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly os: string; readonly architecture: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** How an image is made. */
export interface LayoutOptions {
  /** Images of the same seed are the same bytes; those of different seeds share no layer. */
  readonly seed: string;
  /** The name under which clients find the image in the layout. */
  readonly tag?: string;
  readonly architectures?: readonly string[];
  /** Layers of each platform; the first is the same for all of them. */
  readonly layers?: number;
  /** Bytes of each layer, compressed. */
  readonly layerBytes?: number;
}

/** An image of several platforms on disk. */
export interface Layout {
  readonly folder: string;
  /** The image's index: what a tag names when the whole image was pushed. */
  readonly index: Descriptor;
  /** The manifest of each platform, in the order of the architectures. */
  readonly manifests: readonly Descriptor[];
  /** The layers of each platform. */
  readonly layers: readonly (readonly Descriptor[])[];
  /** Every digest, in order. */
  readonly digests: readonly string[];
  /** The bytes of one of them. */
  read(digest: string): Uint8Array;
}

const TYPES = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
} as const;

/** Writes an image as an OCI layout into `folder`. @see OCI image-spec, image-layout.md */
export function writeLayout(folder: string, options: LayoutOptions): Layout {
  const { seed, tag = "v1", architectures = ["amd64", "arm64"], layers = 3, layerBytes = 64 * 1024 } = options;
  const blobs = path.join(folder, "blobs", "sha256");
  mkdirSync(blobs, { recursive: true });
  const put = (mediaType: string, bytes: Uint8Array): Descriptor => {
    const hex = createHash("sha256").update(bytes).digest("hex");
    writeFileSync(path.join(blobs, hex), bytes);
    return { mediaType, digest: `sha256:${hex}`, size: bytes.byteLength };
  };
  const putJson = (mediaType: string, value: unknown) => put(mediaType, Buffer.from(JSON.stringify(value)));

  const images = architectures.map((architecture) => {
    const parts = Array.from({ length: layers }, (_, number) => {
      const owner = number === 0 ? "all" : architecture;
      const name = `layer-${number}-${owner}`;
      const archive = tar([{ name, content: pseudoRandom(`${seed}/${name}`, layerBytes) }]);
      return { layer: put(TYPES.layer, gzipSync(archive, { level: 1 })), diff: digestOf(archive) };
    });
    const config = putJson(TYPES.config, {
      architecture,
      os: "linux",
      config: { Labels: { seed } },
      rootfs: { type: "layers", diff_ids: parts.map(({ diff }) => diff) },
      history: parts.map((_, number) => ({ created_by: `layer ${number}` })),
    });
    const imageLayers = parts.map(({ layer }) => layer);
    const manifest = { schemaVersion: 2, mediaType: TYPES.manifest, config, layers: imageLayers };
    const descriptor = { ...putJson(TYPES.manifest, manifest), platform: { os: "linux", architecture } };
    return { descriptor, layers: imageLayers };
  });
  const manifests = images.map(({ descriptor }) => descriptor);
  const index = putJson(TYPES.index, { schemaVersion: 2, mediaType: TYPES.index, manifests });
  const named = { ...index, annotations: { "org.opencontainers.image.ref.name": tag } };
  writeFileSync(path.join(folder, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  writeFileSync(path.join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [named] }));
  return {
    folder,
    index,
    manifests,
    layers: images.map(({ layers }) => layers),
    digests: layoutDigests(folder),
    read: (digest) => readFileSync(path.join(folder, "blobs", ...digest.split(":"))),
  };
}

/**
 * Every digest in the OCI layout at `folder`, in order.
 * @throws if the bytes of one are not what its name says
 */
export function layoutDigests(folder: string): string[] {
  return readdirSync(path.join(folder, "blobs", "sha256"))
    .map((hex) => {
      const actual = digestOf(readFileSync(path.join(folder, "blobs", "sha256", hex)));
      if (actual !== `sha256:${hex}`) throw new Error(`the bytes of sha256:${hex} are those of ${actual}`);
      return actual;
    })
    .sort();
}

/** The sha256 digest of some bytes. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
