import { describe, expect, it } from "vitest";
import { parseManifest } from "./manifest.ts";
import { MEDIA_TYPES } from "./media-type.ts";

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const CONFIG = { mediaType: "application/vnd.oci.image.config.v1+json", digest: digest("a"), size: 2 };
const LAYER = { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: digest("b"), size: 3 };
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
        kind: "image",
        config: CONFIG,
        layers: [LAYER],
        children: [],
        subject: undefined,
        artifactType: CONFIG.mediaType,
        annotations: { a: "b" },
      },
    });
  });

  it.each([
    ["names its artifact type", { artifactType: "application/x" }, "application/x"],
    ["has its config's for an artifact type", {}, CONFIG.mediaType],
  ])("%s", (_, more, artifactType) => {
    const parsed = parse({ ...IMAGE, ...more, subject: SUBJECT });
    expect(parsed.ok && [parsed.value.artifactType, parsed.value.subject]).toEqual([artifactType, SUBJECT]);
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
        kind: "index",
        config: undefined,
        layers: [],
        children: manifests,
        subject: SUBJECT,
        artifactType: "application/x",
        annotations: undefined,
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
    expect(parsed.ok ? parsed.value.mediaType : parsed.error.message).toBe(mediaType);
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
    expect(parsed.ok ? "no failure" : parsed.error.message).toMatch(message);
  });

  it.each([
    ["nothing", new Uint8Array(0)],
    ["half of it", new TextEncoder().encode(JSON.stringify(IMAGE).slice(0, 40))],
    ["text that is not UTF-8", new Uint8Array([0x22, 0xff, 0x22])],
    ["a byte order mark", new Uint8Array([0xef, 0xbb, 0xbf, ...new TextEncoder().encode(JSON.stringify(IMAGE))])],
  ])("%s", (_, bytes) => {
    const parsed = parseManifest(bytes, MEDIA_TYPES.ociManifest);
    expect(parsed.ok ? "no failure" : parsed.error.message).toMatch(/^not JSON/);
  });
});

describe("what another registry keeps", () => {
  const found = (body: unknown, contentType?: string) =>
    parseManifest(new TextEncoder().encode(JSON.stringify(body)), contentType, { tolerant: true });

  it.each([
    ["plain JSON that says what it is", IMAGE, "application/json", MEDIA_TYPES.ociManifest],
    ["an index that does not", { manifests: [CHILD] }, "application/json", MEDIA_TYPES.ociIndex],
    [
      "a type in capitals inside",
      { ...INDEX, mediaType: MEDIA_TYPES.dockerList.toUpperCase() },
      undefined,
      MEDIA_TYPES.dockerList,
    ],
    ["no version", { ...IMAGE, schemaVersion: undefined }, undefined, MEDIA_TYPES.ociManifest],
    ["the other type inside", IMAGE, MEDIA_TYPES.dockerManifest, MEDIA_TYPES.dockerManifest],
    ["null for what is not there", { ...INDEX, config: null, layers: null }, undefined, MEDIA_TYPES.ociIndex],
    ["no config", { ...IMAGE, config: undefined }, undefined, MEDIA_TYPES.ociManifest],
  ])("%s", (_, body, contentType, mediaType) => {
    const parsed = found(body, contentType);
    expect(parsed.ok ? parsed.value.mediaType : parsed.error.message).toBe(mediaType);
  });

  it("has the blobs of an artifact manifest for layers", () => {
    const parsed = found({ mediaType: MEDIA_TYPES.artifactManifest, blobs: [LAYER] }, MEDIA_TYPES.artifactManifest);
    expect(parsed).toMatchObject({ ok: true, value: { kind: "image", config: undefined, layers: [LAYER] } });
  });

  it("may say nonsense where nothing depends on it", () => {
    const child = { ...CHILD, mediaType: 1, platform: { os: 1, "os.features": "x" }, urls: 1, annotations: { a: 1 } };
    const parsed = found({ ...INDEX, manifests: [child], annotations: [], artifactType: 1 });
    expect(parsed).toMatchObject({
      ok: true,
      value: {
        artifactType: undefined,
        annotations: undefined,
        children: [
          { mediaType: "application/octet-stream", digest: CHILD.digest, platform: { os: "", architecture: "" } },
        ],
      },
    });
  });

  it.each<[string, unknown, RegExp]>([
    ["a digest that is none", { ...IMAGE, config: { ...CONFIG, digest: "x" } }, /config\.digest/],
    ["a size that is none", { ...IMAGE, config: { ...CONFIG, size: -1 } }, /config\.size/],
    ["two meanings", { ...IMAGE, manifests: [CHILD] }, /has no manifests/],
    ["schema 1", { schemaVersion: 1 }, /schema 1/],
  ])("but not %s", (_, body, message) => {
    const parsed = found(body);
    expect(parsed.ok ? "no failure" : parsed.error.message).toMatch(message);
  });
});

function parse(body: unknown, contentType?: string) {
  return parseManifest(new TextEncoder().encode(JSON.stringify(body)), contentType);
}
