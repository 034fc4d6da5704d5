import { descriptor, type Descriptor, jsonBytes, MEDIA, smallImage, uniqueBytes } from "./data.ts";
import type { ErrorCase } from "./error-cases.ts";
import { body, type RequestPart, streamed } from "./registry-client.ts";
import { pushBlob } from "./steps.ts";

const MAX_BYTES = 4 * 1024 * 1024;
const SCHEMA_1 = [
  "application/vnd.docker.distribution.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v1+prettyjws",
];

/** Makes the body of a push from descriptors of blobs that are there. */
type Body = (config: Descriptor, layer: Descriptor) => Uint8Array;

const image =
  (changes: object): Body =>
  (config, layer) =>
    jsonBytes({ schemaVersion: 2, mediaType: MEDIA.manifest, config, layers: [layer], ...changes });
const index =
  (changes: object): Body =>
  () =>
    jsonBytes({ schemaVersion: 2, mediaType: MEDIA.index, manifests: [], ...changes });
const layered =
  (changes: object): Body =>
  (config, layer) =>
    image({ layers: [{ ...layer, ...changes }] })(config, layer);
const raw =
  (...pieces: (string | number[])[]): Body =>
  () =>
    Buffer.concat(pieces.map((piece) => Buffer.from(piece)));

const IMAGES: Readonly<Record<string, Body>> = {
  "an empty body": raw(""),
  "no JSON": raw("not json"),
  "JSON that breaks off": raw('{"schemaVersion":2,'),
  null: raw("null"),
  "an array": raw("[]"),
  "a text": raw('"manifest"'),
  "bytes that are not UTF-8": (config, layer) => Buffer.concat([image({})(config, layer), Buffer.from([0xff])]),
  "a byte order mark (RFC 8259 section 8.1)": (config, layer) =>
    Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), image({})(config, layer)]),
  "no schemaVersion": image({ schemaVersion: undefined }),
  "schemaVersion 3": image({ schemaVersion: 3 }),
  "schemaVersion as text": image({ schemaVersion: "2" }),
  "mediaType that is no text": image({ mediaType: 2 }),
  "mediaType other than Content-Type (image-spec, manifest.md)": image({ mediaType: MEDIA.dockerManifest }),
  "an index under the type of an image (CVE-2021-41190)": image({ mediaType: undefined, manifests: [] }),
  "no config": image({ config: undefined }),
  "config without digest": image({ config: { mediaType: MEDIA.config, size: 2 } }),
  "layers that are no list": image({ layers: {} }),
  "a malformed digest": layered({ digest: "sha256:short" }),
  "a digest of an algorithm that is not known": layered({ digest: "md5:d41d8cd98f00b204e9800998ecf8427e" }),
  "a negative size": layered({ size: -1 }),
  "a size with a fraction": layered({ size: 1.5 }),
  "no size": layered({ size: undefined }),
  "no media type of a layer": layered({ mediaType: undefined }),
  "annotations that are no text": image({ annotations: { number: 1 } }),
  "subject without digest": image({ subject: { mediaType: MEDIA.manifest, size: 2 } }),
};

const INDEXES: Readonly<Record<string, Body>> = {
  "an image under the type of an index (CVE-2021-41190)": (config, layer) =>
    image({ mediaType: undefined })(config, layer),
  "an index with layers": index({ layers: [] }),
  "an index with config": index({ config: {} }),
  "manifests that are no list": index({ manifests: "none" }),
  "a child without digest": index({ manifests: [{ mediaType: MEDIA.manifest, size: 2 }] }),
  "mediaType other than Content-Type (image-spec, image-index.md)": index({ mediaType: MEDIA.dockerList }),
};

const refused = (title: string, type: string, make: Body, message: RegExp = /^manifest invalid: ./): ErrorCase => ({
  title: `${title} (end-7)`,
  expected: { status: 400, code: "MANIFEST_INVALID", message },
  prepare: preparing((config, layer) => body(make(config, layer), type)),
});

/** Manifests whose bytes alone are reason enough to refuse them. @see distribution-spec, end-7 */
export const INVALID_MANIFESTS: readonly ErrorCase[] = [
  ...Object.entries(IMAGES).map(([title, make]) => refused(title, MEDIA.manifest, make)),
  ...Object.entries(INDEXES).map(([title, make]) => refused(title, MEDIA.index, make)),
  ...["application/json", "text/plain", MEDIA.config].map((type) =>
    refused(`Content-Type ${type}, which is no manifest's`, type, image({ mediaType: type }), /media type/),
  ),
  // Docker Engine removed schema 1; the message says what to do.
  ...SCHEMA_1.map((type) =>
    refused(
      `schema 1, by Content-Type ${type}`,
      type,
      raw('{"schemaVersion":1}'),
      /schema 1 is not supported.*push the image again/,
    ),
  ),
  refused(
    "schema 1, by its body",
    MEDIA.dockerManifest,
    raw('{"schemaVersion":1,"fsLayers":[]}'),
    /schema 1 is not supported/,
  ),
  ...([body, streamed] as const).map((send): ErrorCase => ({
    title: `a byte more than 4 MiB, ${send === body ? "with length" : "under chunked coding"} (spec.md, Pushing Manifests: 413)`,
    expected: { status: 413, code: "MANIFEST_INVALID", message: `manifest invalid: larger than ${MAX_BYTES} bytes` },
    prepare: preparing(() => send(uniqueBytes(MAX_BYTES + 1), MEDIA.manifest)),
  })),
];

/** Pushes the blobs, so that the body is all that is wrong. */
function preparing(part: (config: Descriptor, layer: Descriptor) => RequestPart): ErrorCase["prepare"] {
  return async (repository) => {
    const [config, layer] = smallImage().blobs;
    for (const each of [config, layer]) await pushBlob(repository, each);
    const made = part(descriptor(config), descriptor(layer));
    return async () => repository.send("PUT", "manifests/refused", made);
  };
}
