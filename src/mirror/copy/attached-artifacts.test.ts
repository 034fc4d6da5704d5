import { describe, expect, it } from "vitest";
import type { Descriptor } from "../../oci/index.ts";
import { MemoryRegistry } from "../memory-registry.fixture.ts";
import { copyNow, RULES, target, testPorts } from "./copy.fixture.ts";
import { copyImage } from "./copy-image.ts";
import { createPlacedBlobs } from "./placed-blobs.ts";

const ATTACHED = { artifacts: { ...RULES.artifacts, referrers: true, digestTags: true } };
const REFERRERS = { artifacts: { ...RULES.artifacts, referrers: true } };
const TAGS = { artifacts: { ...RULES.artifacts, digestTags: true } };

function setUp(capabilities: { source?: object; to?: object } = {}) {
  const source = new MemoryRegistry({ name: "hub", ...(capabilities.source && { capabilities: capabilities.source }) });
  const to = new MemoryRegistry({ name: "local", ...(capabilities.to && { capabilities: capabilities.to }) });
  const image = source.addImage("app", { tag: "v1" });
  const refer = (subject: Descriptor, artifactType: string): Descriptor =>
    source.addImage("app", { layers: [`${artifactType} of ${subject.digest}`], subject, artifactType });
  const listed = async (subject: Descriptor, repository = "mirror/app") =>
    (await to.repository(repository, "pull").referrers(subject.digest)).map(({ digest }) => digest);
  return { source, to, image, refer, listed };
}

describe("referrers", () => {
  it.each([
    ["API to API", true, true],
    ["API to fallback tag", true, false],
    ["fallback tag to API", false, true],
    ["fallback tag to fallback tag", false, false],
  ])("are copied with theirs, before the tag: %s", async (_, from, toApi) => {
    const { source, to, image, refer, listed } = setUp({ source: { referrers: from }, to: { referrers: toApi } });
    const sbom = refer(image, "sbom");
    const signature = refer(image, "signature");
    const nested = refer(sbom, "signature");
    if (!from) {
      source.addIndex("app", [sbom, signature], { tag: image.digest.replace(":", "-") });
      source.addIndex("app", [nested], { tag: sbom.digest.replace(":", "-") });
    }
    await copyNow(source, to, REFERRERS);
    expect(new Set(await listed(image))).toEqual(new Set([sbom.digest, signature.digest]));
    expect(await listed(sbom)).toEqual([nested.digest]);
    const log = to.log("putManifest");
    expect(log[0]).toBe(`putManifest ${image.digest}`);
    expect(log.at(-1)).toBe("putManifest v1");
  });

  it("are not asked for where the tags of the source say that there are none", async () => {
    const { source, to, image } = setUp({ source: { referrers: false } });
    const repository = source.repository("app", "pull");
    const from = { registry: source, repository, tags: new Set(["v1"]) };
    const item = { repository: "app", tag: "v1", digest: image.digest };
    await copyImage(item, from, [target(to)], { ...RULES, ...REFERRERS }, testPorts());
    expect(source.count("referrers")).toBe(0);
    expect(to.log("putManifest")).toEqual(["putManifest v1"]);
  });

  it("keeps what is listed under the target's fallback tag, and what is said of it", async () => {
    const { source, to, image, refer } = setUp({ to: { referrers: false } });
    const own = to.addImage("mirror/app", { layers: ["own signature"], subject: image, artifactType: "own" });
    to.addIndex("mirror/app", [own], { tag: image.digest.replace(":", "-") });
    const sbom = refer(image, "sbom");
    await copyNow(source, to, REFERRERS);
    const list = await to.repository("mirror/app", "pull").referrers(image.digest);
    expect(list).toEqual([own, expect.objectContaining({ digest: sbom.digest, artifactType: "sbom" })]);
  });

  it("are not listed where the target's fallback tag may not be changed, with a warning", async () => {
    const { source, to, image, refer } = setUp({ to: { referrers: false } });
    to.addIndex("mirror/app", [], { tag: image.digest.replace(":", "-") });
    to.immutable = true;
    refer(image, "sbom");
    const result = await copyNow(source, to, REFERRERS);
    expect(result.outcome).toBe("copied");
    expect(result.warnings).toEqual([expect.stringContaining("may not be changed")]);
  });

  it("of two tags of the same image at the same time all get into the list", async () => {
    const { source, to, image, refer, listed } = setUp({ to: { referrers: false } });
    const all = ["a", "b", "c"].map((type) => refer(image, type).digest);
    const ports = testPorts({ placed: createPlacedBlobs() });
    await Promise.all(
      ["v1", "latest"].map((tag) => copyNow(source, [target(to, "mirror/app", tag)], REFERRERS, ports)),
    );
    expect(new Set(await listed(image))).toEqual(new Set(all));
    expect(await listed(image)).toHaveLength(3);
  });

  it("that are new come to an image that is not", async () => {
    const { source, to, image, refer, listed } = setUp();
    await copyNow(source, to, REFERRERS);
    const late = refer(image, "late");
    source.calls.length = 0;
    expect((await copyNow(source, to, REFERRERS)).outcome).toBe("copied");
    expect(await listed(image)).toEqual([late.digest]);
    expect(source.count("manifest", image.digest)).toBe(0);
    to.calls.length = 0;
    expect((await copyNow(source, to, REFERRERS)).outcome).toBe("unchanged");
    expect(to.count("putManifest")).toBe(0);
  });

  it("of each platform are copied, also to an image that is there", async () => {
    const { source, to, refer, listed } = setUp();
    source.addPlatforms("app", "v1", ["linux/amd64", "linux/arm64"]);
    await copyNow(source, to, REFERRERS);
    const [child] = [...(to.stored.get("mirror/app")?.manifests.values() ?? [])];
    if (child === undefined) throw new Error("nothing was copied");
    const late = refer({ mediaType: child.mediaType, digest: child.digest, size: child.bytes.byteLength }, "late");
    await copyNow(source, to, REFERRERS);
    expect(await listed(late)).toEqual([]);
    expect(to.stored.get("mirror/app")?.manifests.has(late.digest)).toBe(true);
  });

  it("are chosen by their type", async () => {
    const { source, to, image, refer, listed } = setUp();
    const signature = refer(image, "signature");
    refer(image, "sbom");
    await copyNow(source, to, { artifacts: { ...REFERRERS.artifacts, types: ["signature"] } });
    expect(await listed(image)).toEqual([signature.digest]);
  });

  it("that the source lists but lacks are a warning", async () => {
    const { source, to, image, refer } = setUp({ source: { referrers: false } });
    const sbom = refer(image, "sbom");
    source.addIndex("app", [sbom], { tag: image.digest.replace(":", "-") });
    source.stored.get("app")?.manifests.delete(sbom.digest);
    const result = await copyNow(source, to, REFERRERS);
    expect(result.outcome).toBe("copied");
    expect(result.warnings).toEqual([expect.stringContaining(sbom.digest)]);
  });

  it("that go round in a circle end", async () => {
    const { source, to, image } = setUp({ source: { referrers: false } });
    source.addIndex("app", [image], { tag: image.digest.replace(":", "-") });
    expect((await copyNow(source, to, REFERRERS)).outcome).toBe("copied");
  });

  it("are not asked for when not wanted", async () => {
    const { source, to } = setUp();
    await copyNow(source, to);
    expect(source.count("referrers") + to.count("referrers")).toBe(0);
    expect(source.count("head")).toBe(0);
  });
});

describe("tags named after a digest", () => {
  const tagFor = ({ digest }: Descriptor, suffix: string) => `${digest.replace(":", "-")}${suffix}`;

  it("are copied before the tag, and again when they change", async () => {
    const { source, to, image } = setUp();
    const tags = [".sig", ".att", ".sbom"].map((suffix) => tagFor(image, suffix));
    for (const tag of tags) source.addImage("app", { layers: [tag], tag });
    await copyNow(source, to, TAGS);
    const log = to.log("putManifest");
    for (const tag of tags) expect(log).toContain(`putManifest ${tag}`);
    expect(log.at(-1)).toBe("putManifest v1");
    const changed = source.addImage("app", { layers: ["changed"], tag: tagFor(image, ".sig") });
    expect((await copyNow(source, to, TAGS)).outcome).toBe("copied");
    expect(to.tagsOf("mirror/app")[tagFor(image, ".sig")]).toBe(changed.digest);
    to.calls.length = 0;
    await copyNow(source, to, TAGS);
    expect(new Set(to.calls.map(({ operation }) => operation))).toEqual(new Set(["head"]));
  });

  it("are left as they are where tags may not be changed", async () => {
    const { source, to, image } = setUp();
    const tag = tagFor(image, ".sig");
    source.addImage("app", { layers: ["new signature"], tag });
    to.addImage("mirror/app", { layers: ["old signature"], tag });
    to.immutable = true;
    const result = await copyNow(source, to, TAGS);
    expect(result.outcome).toBe("copied");
    expect(result.warnings.join()).toContain(tag);
  });

  it("are merged where they list referrers", async () => {
    const { source, to, image, refer, listed } = setUp({ source: { referrers: false }, to: { referrers: false } });
    const sbom = refer(image, "sbom");
    source.addIndex("app", [sbom], { tag: tagFor(image, "") });
    await copyNow(source, to, TAGS);
    expect(await listed(image)).toEqual([sbom.digest]);
  });

  it("and referrers come to every target, whoever has them", async () => {
    const { source, to, image, refer, listed } = setUp();
    const second = new MemoryRegistry({ name: "second", capabilities: { referrers: false } });
    const sbom = refer(image, "sbom");
    await copyNow(source, to, ATTACHED);
    const result = await copyNow(source, [target(to), target(second)], ATTACHED);
    expect(result.targets.map(({ outcome }) => outcome)).toEqual(["unchanged", "copied"]);
    expect(await listed(image)).toEqual([sbom.digest]);
    expect(second.tagsOf("mirror/app")).toHaveProperty(tagFor(image, ""));
  });
});
