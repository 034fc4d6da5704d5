import { describe, expect, it } from "vitest";
import { parseManifest } from "./manifest.ts";
import { MEDIA_TYPES } from "./media-type.ts";

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const CONFIG = { mediaType: "application/vnd.oci.image.config.v1+json", digest: digest("a"), size: 2 };
const LAYER = { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: digest("b"), size: 3 };
const FOREIGN = { ...LAYER, mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar", digest: digest("c") };
const SUBJECT = { mediaType: MEDIA_TYPES.ociManifest, digest: digest("d"), size: 4 };
const IMAGE = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config: CONFIG, layers: [LAYER] };
const CHILD = { mediaType: MEDIA_TYPES.ociManifest, digest: digest("e"), size: 5 };
const INDEX = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [CHILD] };

describe("an image manifest", () => {
  it("says what it is made of", () => {
    expect(parse({ ...IMAGE, annotations: { a: "b" } })).toEqual({
      ok: true,
      value: {
        mediaType: MEDIA_TYPES.ociManifest,
        artifactType: CONFIG.mediaType,
        subject: undefined,
        annotations: { a: "b" },
        references: [
          { kind: "config", digest: CONFIG.digest, required: true },
          { kind: "layer", digest: LAYER.digest, required: true },
        ],
        children: [],
      },
    });
  });

  it("need not have the layers that registries need not hold", () => {
    const parsed = parse({ ...IMAGE, layers: [FOREIGN, LAYER] });
    expect(parsed.ok && parsed.value.references.map(({ required }) => required)).toEqual([true, false, true]);
  });

  it.each([
    ["names its artifact type", { artifactType: "application/x" }, "application/x"],
    ["has its config's for an artifact type", {}, CONFIG.mediaType],
  ])("%s", (_, more, artifactType) => {
    const parsed = parse({ ...IMAGE, ...more, subject: SUBJECT });
    expect(parsed.ok && [parsed.value.artifactType, parsed.value.subject]).toEqual([artifactType, SUBJECT.digest]);
  });
});

describe("an index", () => {
  it("says whose it is the index, and of which platforms", () => {
    const manifests = [{ ...CHILD, platform: { os: "linux", architecture: "arm64", variant: "v8" } }, CHILD];
    const parsed = parse({ ...INDEX, manifests, artifactType: "application/x", subject: SUBJECT });
    expect(parsed).toEqual({
      ok: true,
      value: {
        mediaType: MEDIA_TYPES.ociIndex,
        artifactType: "application/x",
        subject: SUBJECT.digest,
        annotations: undefined,
        references: [
          { kind: "manifest", digest: CHILD.digest, required: true },
          { kind: "manifest", digest: CHILD.digest, required: true },
        ],
        children: [
          { digest: CHILD.digest, os: "linux", architecture: "arm64" },
          { digest: CHILD.digest, os: undefined, architecture: undefined },
        ],
      },
    });
  });

  it("has no artifact type of its own making", () => {
    const parsed = parse(INDEX);
    expect(parsed.ok && parsed.value.artifactType).toBeUndefined();
  });
});

describe("valid", () => {
  const { mediaType: _image, ...bareImage } = IMAGE;
  const { mediaType: _index, ...bareIndex } = INDEX;
  it.each([
    ["OCI image", IMAGE, MEDIA_TYPES.ociManifest, MEDIA_TYPES.ociManifest],
    ["OCI index", INDEX, MEDIA_TYPES.ociIndex, MEDIA_TYPES.ociIndex],
    ["Docker image", { ...IMAGE, mediaType: MEDIA_TYPES.dockerManifest }, undefined, MEDIA_TYPES.dockerManifest],
    ["Docker list", { ...INDEX, mediaType: MEDIA_TYPES.dockerList }, undefined, MEDIA_TYPES.dockerList],
    ["image without a type inside", bareImage, MEDIA_TYPES.dockerManifest, MEDIA_TYPES.dockerManifest],
    ["image without any type", bareImage, undefined, MEDIA_TYPES.ociManifest],
    ["index without any type", bareIndex, undefined, MEDIA_TYPES.ociIndex],
    ["type with parameters", IMAGE, `${MEDIA_TYPES.ociManifest}; charset=utf-8`, MEDIA_TYPES.ociManifest],
    ["type in capitals", IMAGE, MEDIA_TYPES.ociManifest.toUpperCase(), MEDIA_TYPES.ociManifest],
    ["image without layers", { ...IMAGE, layers: [] }, undefined, MEDIA_TYPES.ociManifest],
    ["image with null layers", { ...IMAGE, layers: null }, undefined, MEDIA_TYPES.ociManifest],
    ["index without manifests", { ...INDEX, manifests: [] }, undefined, MEDIA_TYPES.ociIndex],
    ["index with null manifests", { ...INDEX, manifests: null }, undefined, MEDIA_TYPES.ociIndex],
    [
      "null subject and annotations",
      { ...IMAGE, subject: null, annotations: null },
      undefined,
      MEDIA_TYPES.ociManifest,
    ],
    ["unknown fields", { ...IMAGE, extra: { deep: [1] } }, undefined, MEDIA_TYPES.ociManifest],
  ])("%s", (_, body, contentType, mediaType) => {
    const parsed = parse(body, contentType);
    expect(parsed.ok ? parsed.value.mediaType : parsed.error).toBe(mediaType);
  });
});

describe("invalid", () => {
  it.each<[string, unknown, string | undefined, RegExp]>([
    ["schema 1 by type", IMAGE, "application/vnd.docker.distribution.manifest.v1+prettyjws", /schema 1/],
    ["schema 1 by content", { ...IMAGE, schemaVersion: 1 }, undefined, /schema 1/],
    ["another type", IMAGE, "application/json", /not that of a manifest: application\/json/],
    ["another type inside", { ...IMAGE, mediaType: "text/plain" }, undefined, /not that of a manifest: text\/plain/],
    ["two types", IMAGE, MEDIA_TYPES.dockerManifest, /mediaType is .* but Content-Type is/],
    ["type that is no text", { ...IMAGE, mediaType: 1 }, undefined, /mediaType is not a string/],
    ["no version", { ...IMAGE, schemaVersion: undefined }, undefined, /schemaVersion/],
    ["version 3", { ...IMAGE, schemaVersion: 3 }, undefined, /schemaVersion/],
    ["no config", { ...IMAGE, config: undefined }, undefined, /config/],
    ["config without digest", { ...IMAGE, config: { ...CONFIG, digest: undefined } }, undefined, /config\.digest/],
    [
      "malformed digest",
      { ...IMAGE, layers: [{ ...LAYER, digest: "sha256:1" }] },
      undefined,
      /layers\.0\.digest: not a/,
    ],
    ["negative size", { ...IMAGE, layers: [LAYER, { ...LAYER, size: -1 }] }, undefined, /layers\.1\.size/],
    ["broken size", { ...IMAGE, config: { ...CONFIG, size: 1.5 } }, undefined, /config\.size/],
    ["empty media type", { ...IMAGE, config: { ...CONFIG, mediaType: "" } }, undefined, /config\.mediaType/],
    ["layers that are no list", { ...IMAGE, layers: LAYER }, undefined, /layers/],
    ["annotations that are no texts", { ...IMAGE, annotations: { a: 1 } }, undefined, /annotations\.a/],
    ["malformed subject", { ...IMAGE, subject: { ...SUBJECT, digest: "x" } }, undefined, /subject\.digest/],
    ["malformed child", { ...INDEX, manifests: [{ ...CHILD, size: "1" }] }, undefined, /manifests\.0\.size/],
    ["image with manifests", { ...IMAGE, manifests: [] }, undefined, /has no manifests/],
    ["index with layers", { ...INDEX, layers: [] }, undefined, /neither config nor layers/],
    ["index with config", { ...INDEX, config: CONFIG }, undefined, /neither config nor layers/],
    ["list", [IMAGE], undefined, /not a JSON object/],
    ["null", null, undefined, /not a JSON object/],
    ["text", "manifest", undefined, /not a JSON object/],
  ])("%s", (_, body, contentType, message) => {
    const parsed = parse(body, contentType);
    expect(parsed.ok ? "no failure" : parsed.error).toMatch(message);
  });

  it.each([
    ["nothing", new Uint8Array(0)],
    ["half of it", new TextEncoder().encode(JSON.stringify(IMAGE).slice(0, 40))],
    ["text that is not UTF-8", new Uint8Array([0x22, 0xff, 0x22])],
    ["a byte order mark", new Uint8Array([0xef, 0xbb, 0xbf, ...new TextEncoder().encode(JSON.stringify(IMAGE))])],
  ])("%s", (_, bytes) => {
    const parsed = parseManifest(bytes, MEDIA_TYPES.ociManifest);
    expect(parsed.ok ? "no failure" : parsed.error).toMatch(/^not JSON/);
  });
});

function parse(body: unknown, contentType?: string) {
  return parseManifest(new TextEncoder().encode(JSON.stringify(body)), contentType);
}
