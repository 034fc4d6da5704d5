import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { platformRuleSchema } from "./mirror-rules.ts";
import { rewriteIndex, SOURCE_DIGEST } from "./rewrite-index.ts";
import { selectPlatforms } from "./select-platforms.ts";
import type { z } from "zod";
import type { Descriptor, Digest, Platform } from "../../oci/index.ts";

const INDEX = "application/vnd.oci.image.index.v1+json";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** Digests that can be read; what they are of does not matter here. */
const named = (name: string) => `sha256:${name}` as Digest;

function entry(name: string, platform?: Partial<Platform>, more: Partial<Descriptor> = {}): Descriptor {
  const described = platform === undefined ? {} : { platform: { os: "linux", architecture: "amd64", ...platform } };
  return { mediaType: MANIFEST, digest: named(name), size: 100, ...described, ...more };
}

function attestation(name: string, subject?: string): Descriptor {
  const reference = subject === undefined ? {} : { "vnd.docker.reference.digest": `sha256:${subject}` };
  return entry(
    name,
    { os: "unknown", architecture: "unknown" },
    { annotations: { "vnd.docker.reference.type": "attestation-manifest", ...reference } },
  );
}

const rule = (input: z.input<typeof platformRuleSchema>) => platformRuleSchema.parse(input);

const image = {
  schemaVersion: 2,
  mediaType: INDEX,
  manifests: [
    entry("amd64", {}),
    entry("arm64", { architecture: "arm64", variant: "v8" }),
    entry("arm7", { architecture: "arm", variant: "v7" }),
    attestation("att-amd64", "amd64"),
    attestation("att-arm64", "arm64"),
    attestation("att-of-nothing"),
    entry("win", { os: "windows", "os.version": "10.0.17763.1" }),
    entry("win2", { os: "windows", "os.version": "10.0.20348.1" }),
    entry("nested", undefined, { mediaType: INDEX }),
    entry("sbom", { os: "unknown", architecture: "unknown" }),
  ],
  annotations: { "org.example.a": "b" },
  "x-other": { kept: [1, 2] },
};

function keptBy(input: z.input<typeof platformRuleSchema>): readonly string[] | string {
  const selected = selectPlatforms(image, rule(input));
  return selected.ok ? selected.value.kept.map(({ digest }) => digest.slice(7)) : selected.error;
}

describe("selectPlatforms", () => {
  it("keeps all in mode all", () => {
    expect(selectPlatforms(image, rule({}))).toMatchObject({
      ok: true,
      value: { isWhole: true, kept: image.manifests },
    });
  });

  it.each([
    ["one", [{ architecture: "amd64" }], ["amd64", "att-amd64", "nested", "sbom"]],
    [
      "several, in the order of the index",
      [{ architecture: "arm64" }, { architecture: "amd64" }],
      ["amd64", "arm64", "att-amd64", "att-arm64", "nested", "sbom"],
    ],
    ["a variant", [{ architecture: "arm", variant: "v7" }], ["arm7", "nested", "sbom"]],
    ["all of Windows", [{ os: "windows", architecture: "amd64" }], ["win", "win2", "nested", "sbom"]],
    ["one Windows", [{ os: "windows", architecture: "amd64", osVersion: "10.0.17763" }], ["win", "nested", "sbom"]],
    ["none but what has no platform", [{ architecture: "s390x" }], ["nested", "sbom"]],
  ])("keeps %s with what is attested and what has no platform", (_, select, expected) => {
    expect(keptBy({ mode: "sparse", select })).toEqual(expected);
    expect(keptBy({ mode: "rewrite", select })).toEqual(expected);
  });

  it("says what there is instead of nothing", () => {
    const index = {
      manifests: [entry("a", {}), entry("b", { architecture: "arm", variant: "v7" }), attestation("c", "a")],
    };
    expect(selectPlatforms(index, rule({ mode: "rewrite", select: [{ architecture: "s390x" }] }))).toEqual({
      ok: false,
      error: "has nothing for linux/s390x; there is linux/amd64, linux/arm/v7",
    });
    expect(selectPlatforms({ manifests: [] }, rule({ mode: "sparse", select: [{ architecture: "arm" }] }))).toEqual({
      ok: false,
      error: "has nothing for linux/arm; there is nothing",
    });
  });

  it.each([
    [{ architecture: "arm64" }, ["arm64"]],
    [{ os: "windows", architecture: "amd64", osVersion: "10.0.20348" }, ["win2"]],
    [{ os: "windows", architecture: "amd64" }, expect.stringContaining("has 2 images for windows/amd64; there is")],
    [{ architecture: "s390x" }, expect.stringContaining("has no image for linux/s390x; there is linux/amd64, ")],
  ])("in mode single picks one for %j", (selector, expected) => {
    expect(keptBy({ mode: "single", select: [selector] })).toEqual(expected);
  });

  it("in mode single takes an image that is named twice for one", () => {
    const index = { manifests: [entry("a", {}), entry("a", { variant: "v1" })] };
    const selected = selectPlatforms(index, rule({ mode: "single", select: [{ architecture: "amd64" }] }));
    expect(selected).toMatchObject({ ok: true, value: { positions: [0] } });
  });
});

describe("rewriteIndex", () => {
  const bytes = new TextEncoder().encode(JSON.stringify(image, null, 3));
  const source = { mediaType: INDEX, digest: named("source"), bytes };
  const parse = (content: { bytes: Uint8Array }): unknown => JSON.parse(new TextDecoder().decode(content.bytes));

  it("keeps order, type and all other fields, and says what it came from", () => {
    const { content, digests } = rewriteIndex(source, [0, 3, 8]);
    expect(content.mediaType).toBe(INDEX);
    expect(content.digest).toBe(`sha256:${createHash("sha256").update(content.bytes).digest("hex")}`);
    expect(parse(content)).toEqual({
      ...image,
      manifests: [image.manifests[0], image.manifests[3], image.manifests[8]],
      annotations: { "org.example.a": "b", [SOURCE_DIGEST]: "sha256:source" },
    });
    expect([...digests]).toEqual([
      ["sha256:source", content.digest],
      ["sha256:amd64", "sha256:amd64"],
      ["sha256:att-amd64", "sha256:att-amd64"],
      ["sha256:nested", "sha256:nested"],
    ]);
  });

  it("gives the same bytes for the same input, whatever the order of positions", () => {
    expect(rewriteIndex(source, [8, 0, 3]).content).toEqual(rewriteIndex(source, [0, 3, 8]).content);
  });

  it("names manifests that were rewritten themselves, also as what is attested", () => {
    const nested = {
      manifests: [
        entry("inner", undefined, { mediaType: INDEX, data: "e30=" }),
        attestation("att", "inner"),
        entry("left-out", {}),
      ],
    };
    const content = { mediaType: INDEX, digest: named("s"), bytes: new TextEncoder().encode(JSON.stringify(nested)) };
    const written = new Map([["sha256:inner", { mediaType: INDEX, digest: named("new"), size: 7 }]]);
    const result = rewriteIndex(content, [0, 1], written);
    expect(parse(result.content)).toEqual({
      manifests: [{ mediaType: INDEX, digest: "sha256:new", size: 7 }, attestation("att", "new")],
      annotations: { [SOURCE_DIGEST]: "sha256:s" },
    });
    expect(result.digests.get("sha256:inner")).toBe("sha256:new");
  });

  it("is the index itself if all is kept", () => {
    const { content, digests } = rewriteIndex(source, [...image.manifests.keys()]);
    expect(content).toBe(source);
    expect(digests.get("sha256:source")).toBe("sha256:source");
  });

  it.each(["[]", "{}", '{"manifests":{}}', "nonsense"])("refuses %s", (text) => {
    expect(() => rewriteIndex({ ...source, bytes: new TextEncoder().encode(text) }, [])).toThrow(Error);
  });
});
