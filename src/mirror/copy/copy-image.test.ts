import { describe, expect, it } from "vitest";
import { MemoryRegistry } from "../memory-registry.fixture.ts";
import { RegistryError } from "../registry.ts";
import { copyNow, RULES, target, testPorts } from "./copy.fixture.ts";
import { copyImage } from "./copy-image.ts";
import { createPlacedBlobs } from "./placed-blobs.ts";

const PLATFORMS = ["linux/amd64", "linux/arm64/v8", "windows/amd64"];

function registries(capabilities = {}) {
  return {
    source: new MemoryRegistry({ name: "hub" }),
    to: new MemoryRegistry({ name: "local", capabilities }),
  };
}

describe("order and content", () => {
  it("copies blobs, then the manifest under its tag", async () => {
    const { source, to } = registries();
    const image = source.addImage("app", { layers: ["one", "two"], tag: "v1" });
    const result = await copyNow(source, to);
    expect(result).toMatchObject({
      outcome: "copied",
      digest: image.digest,
      blobs: { copied: 3, mounted: 0, skipped: 0 },
      warnings: [],
    });
    const log = to.log("putBlob", "putManifest");
    expect(log.slice(0, 3).every((line) => line.startsWith("putBlob"))).toBe(true);
    expect(log.slice(3)).toEqual(["putManifest v1"]);
    expect(to.tagsOf("mirror/app")).toEqual({ v1: image.digest });
    expect(source.count("manifest")).toBe(1);
  });

  it("asks for manifests by digest only", async () => {
    const { source, to } = registries();
    source.addPlatforms("app", "v1", PLATFORMS);
    await copyNow(source, to);
    expect(source.calls.filter(({ operation }) => operation === "manifest")).toHaveLength(4);
    expect(source.log("manifest", "head").some((line) => line.includes(" v1"))).toBe(false);
  });

  it("does not look again at a tag that was just looked at", async () => {
    const { source, to } = registries();
    const image = source.addImage("app", { tag: "v1" });
    const seen = { head: undefined };
    expect((await copyNow(source, [{ ...target(to), seen }])).outcome).toBe("copied");
    expect(to.count("head", "v1")).toBe(0);
    const head = await to.repository("mirror/app", "pull").head("v1");
    expect(head?.digest).toBe(image.digest);
    expect((await copyNow(source, [{ ...target(to), seen: { head } }])).outcome).toBe("unchanged");
    expect(to.count("head", "v1")).toBe(1);
  });

  it("copies nested indexes from the inside out and shared blobs once", async () => {
    const { source, to } = registries();
    const inner = source.addPlatforms("app", "inner", PLATFORMS);
    source.addIndex("app", [inner, source.addImage("app", { layers: ["common to all of inner"] })], {
      tag: "v1",
    });
    await copyNow(source, to);
    const manifests = to.log("putManifest");
    expect(manifests.at(-1)).toBe("putManifest v1");
    expect(manifests).toHaveLength(6);
    expect(manifests.indexOf(`putManifest ${inner.digest}`)).toBeGreaterThan(2);
    const blobs = source.log("blob");
    expect(new Set(blobs).size).toBe(blobs.length);
  });

  it.each([
    ["an empty layer", ["", "x"]],
    ["the same layer twice", ["x", "x"]],
    ["no layers", []],
  ])("copies an image with %s", async (_, layers) => {
    const { source, to } = registries();
    const image = source.addImage("app", { layers, tag: "v1" });
    expect((await copyNow(source, to)).outcome).toBe("copied");
    expect(to.tagsOf("mirror/app")["v1"]).toBe(image.digest);
  });

  it("takes a blob from its descriptor's data", async () => {
    const { source, to } = registries();
    const layer = { ...source.addBlob("app", "{}"), data: btoa("{}") };
    source.addImage("app", { layers: [layer], tag: "v1" });
    await copyNow(source, to);
    expect(source.count("blob", layer.digest)).toBe(0);
    expect(to.count("putBlob", layer.digest)).toBe(1);
  });

  it("fetches the blob when the data of its descriptor is something else", async () => {
    const { source, to } = registries();
    const layer = { ...source.addBlob("app", "{}"), data: btoa("[]") };
    source.addImage("app", { layers: [layer], tag: "v1" });
    await copyNow(source, to);
    expect(source.count("blob", layer.digest)).toBe(1);
  });

  it("copies entries of an index that are blobs or manifests of unknown types", async () => {
    const { source, to } = registries();
    const blob = source.addBlob("app", "a blob", "application/x-thing");
    const odd = source.addManifest("app", { schemaVersion: 2, odd: true }, "application/x-odd+json");
    source.addIndex("app", [blob, odd], { tag: "v1" });
    await copyNow(source, to);
    expect(to.count("putBlob", blob.digest)).toBe(1);
    expect(to.count("putManifest", odd.digest)).toBe(1);
    expect(Object.keys(to.tagsOf("mirror/app"))).toEqual(["v1"]);
  });

  it.each(["application/vnd.oci.image.index.v1+json; charset=utf-8", "application/json"])(
    "knows an index that is served as %s",
    async (mediaType) => {
      const { source, to } = registries();
      const child = source.addImage("app");
      source.addManifest("app", { schemaVersion: 2, manifests: [child] }, mediaType, "v1");
      await copyNow(source, to);
      expect(to.count("putManifest", child.digest)).toBe(1);
    },
  );

  it.each([
    [
      "schema 1",
      { schemaVersion: 1, fsLayers: [] },
      "application/vnd.docker.distribution.manifest.v1+prettyjws",
      /schema 1/,
    ],
    [
      "an index that is an image",
      { schemaVersion: 2, layers: [] },
      "application/vnd.oci.image.index.v1+json",
      /media type/,
    ],
    [
      "digests of no known form",
      { schemaVersion: 2, manifests: [{ mediaType: "x", digest: "md5:1", size: 1 }] },
      "application/vnd.oci.image.index.v1+json",
      /not a sha256 or sha512 digest/,
    ],
  ])("refuses %s", async (_, body, mediaType, message) => {
    const { source, to } = registries();
    source.addManifest("app", body, mediaType, "v1");
    await expect(copyNow(source, to)).rejects.toThrow(message);
    expect(to.count("putManifest")).toBe(0);
  });

  it("refuses indexes that are nested too deep", async () => {
    const { source, to } = registries();
    let index = source.addImage("app");
    for (let depth = 0; depth < 6; depth++) index = source.addIndex("app", [index], { tag: "v1" });
    await expect(copyNow(source, to)).rejects.toMatchObject({ failure: "unsupported" });
  });

  it("refuses an index of more manifests than an image has", async () => {
    const { source, to } = registries();
    const children = Array.from({ length: 1001 }, (_, index) => source.addImage("app", { layers: [`${index}`] }));
    source.addIndex("app", children, { tag: "v1" });
    await expect(copyNow(source, to)).rejects.toThrow(/more than 1000/);
  });

  it("notices a manifest that is not what its digest says", async () => {
    const { source, to } = registries();
    const image = source.addImage("app", { tag: "v1" });
    const other = source.stored.get("app")?.manifests;
    other?.set(image.digest, { mediaType: image.mediaType, digest: image.digest, bytes: new Uint8Array([123, 125]) });
    await expect(copyNow(source, to)).rejects.toMatchObject({ failure: "corrupt" });
  });

  it("says that the source lacks a manifest, and leaves the tag alone", async () => {
    const { source, to } = registries();
    const child = source.addImage("app");
    source.addIndex("app", [child], { tag: "v1" });
    source.stored.get("app")?.manifests.delete(child.digest);
    await expect(copyNow(source, to)).rejects.toMatchObject({ failure: "missing" });
    expect(to.tagsOf("mirror/app")).toEqual({});
  });
});

describe("again", () => {
  it("does nothing but one HEAD", async () => {
    const { source, to } = registries();
    source.addPlatforms("app", "v1", PLATFORMS);
    await copyNow(source, to);
    source.calls.length = 0;
    to.calls.length = 0;
    expect((await copyNow(source, to)).outcome).toBe("unchanged");
    expect(source.calls).toEqual([]);
    expect(to.log()).toEqual(["head v1"]);
  });

  it("goes on where it broke off, at any request", async () => {
    for (let at = 1; ; at++) {
      const { source, to } = registries();
      source.addPlatforms("app", "v1", PLATFORMS);
      let calls = 0;
      const dies = () => {
        if (++calls >= at) throw new Error("gone");
      };
      source.before = dies;
      to.before = dies;
      const first = await copyNow(source, to).catch((error: unknown) => error);
      source.before = undefined;
      to.before = undefined;
      const { bytes } = await copyNow(source, to);
      expect(to.tagsOf("mirror/app")["v1"]).toBe(source.tagsOf("app")["v1"]);
      if (!(first instanceof Error)) {
        expect(bytes).toBe(0);
        expect(at).toBeGreaterThan(30);
        return;
      }
    }
  });

  it("reads only the new platform of an index that has one more", async () => {
    const { source, to } = registries();
    source.addPlatforms("app", "v1", PLATFORMS.slice(0, 2));
    await copyNow(source, to);
    source.addPlatforms("app", "v1", PLATFORMS);
    source.calls.length = 0;
    await copyNow(source, to);
    expect(source.count("manifest")).toBe(2);
  });

  it("sends content again that the target's garbage collector took", async () => {
    const { source, to } = registries();
    const layer = source.addBlob("app", "layer");
    source.addImage("app", { layers: [layer], tag: "v1" });
    let taken = false;
    to.before = ({ operation }) => {
      if (operation === "putManifest" && !taken) {
        taken = true;
        to.stored.get("mirror/app")?.blobs.delete(layer.digest);
      }
    };
    expect((await copyNow(source, to)).outcome).toBe("copied");
    expect(to.count("putBlob", layer.digest)).toBe(2);
  });

  it("sends a child again that went missing before its index", async () => {
    const { source, to } = registries();
    const child = source.addImage("app");
    source.addIndex("app", [child], { tag: "v1" });
    let taken = false;
    to.before = ({ operation, reference }) => {
      if (operation === "putManifest" && reference === "v1" && !taken) {
        taken = true;
        to.stored.get("mirror/app")?.manifests.delete(child.digest);
        to.stored.get("mirror/app")?.blobs.clear();
      }
    };
    expect((await copyNow(source, to)).outcome).toBe("copied");
    expect(to.count("putManifest", child.digest)).toBe(2);
  });

  it("does not try for ever when a manifest is refused", async () => {
    const { source, to } = registries();
    source.addImage("app", { tag: "v1" });
    to.failNext("putManifest", () => new RegistryError("refused", "MANIFEST_INVALID", { status: 400 }), 99);
    await expect(copyNow(source, to)).rejects.toThrow("MANIFEST_INVALID");
    expect(to.count("putManifest")).toBe(1);
  });
});

describe("tags that are there", () => {
  it.each([
    ["overwrite", "copied", 1],
    ["skip", "skipped", 0],
    ["fail", "conflict", 0],
  ] as const)("%s", async (existing, outcome, read) => {
    const { source, to } = registries();
    const image = source.addImage("app", { tag: "v1" });
    const old = to.addImage("mirror/app", { layers: ["old"], tag: "v1" });
    expect((await copyNow(source, to, { existing })).outcome).toBe(outcome);
    expect(to.tagsOf("mirror/app")["v1"]).toBe(outcome === "copied" ? image.digest : old.digest);
    expect(source.count("manifest")).toBe(read);
  });

  it.each([
    ["skip", "skipped"],
    ["fail", "conflict"],
  ] as const)("%s, when the tag appears in the meantime", async (existing, outcome) => {
    const { source, to } = registries();
    source.addImage("app", { tag: "v1" });
    let other = "";
    to.before = ({ operation }) => {
      if (operation === "putBlob" && other === "") {
        other = to.addImage("mirror/app", { layers: ["other"], tag: "v1" }).digest;
      }
    };
    expect((await copyNow(source, to, { existing })).outcome).toBe(outcome);
    expect(to.tagsOf("mirror/app")["v1"]).toBe(other);
  });

  it("that a registry refuses to take again are as they should be", async () => {
    const { source, to } = registries();
    const image = source.addImage("app", { tag: "v1" });
    to.failNext("putManifest", () => new RegistryError("conflict", "ImageAlreadyExists", { status: 400 }), 1, "v1");
    to.before = ({ operation, reference }) => {
      if (operation === "putManifest" && reference === "v1") {
        const content = source.stored.get("app")?.manifests.get(image.digest);
        if (content !== undefined) to.stored.get("mirror/app")?.manifests.set(image.digest, content);
        to.stored.get("mirror/app")?.tags.set("v1", image.digest);
      }
    };
    expect((await copyNow(source, to)).outcome).toBe("copied");
  });

  it("reports an immutable tag as a conflict, once", async () => {
    const { source, to } = registries();
    source.addImage("app", { tag: "v1" });
    to.addImage("mirror/app", { layers: ["old"], tag: "v1" });
    to.immutable = true;
    const result = await copyNow(source, to);
    expect(result.outcome).toBe("conflict");
    expect(result.targets[0]?.error).toMatchObject({ failure: "conflict" });
    expect(to.count("putManifest", "v1")).toBe(1);
  });
});

describe("several targets", () => {
  it("reads everything once", async () => {
    const { source, to } = registries();
    const second = new MemoryRegistry({ name: "second" });
    source.addPlatforms("app", "v1", PLATFORMS);
    const result = await copyNow(source, [target(to), target(second, "other/app", "stable")]);
    expect(result.targets.map(({ outcome }) => outcome)).toEqual(["copied", "copied"]);
    for (const operation of ["blob", "manifest"] as const) {
      const log = source.log(operation);
      expect(new Set(log).size).toBe(log.length);
    }
    expect(second.tagsOf("other/app")).toEqual({ stable: source.tagsOf("app")["v1"] });
  });

  it("goes on without the one that fails, and says so", async () => {
    const { source, to } = registries();
    const broken = new MemoryRegistry({ name: "broken" });
    broken.failNext("putBlob", () => new RegistryError("denied", "403", { status: 403 }), 99);
    source.addPlatforms("app", "v1", PLATFORMS);
    const result = await copyNow(source, [target(broken), target(to)]);
    expect(result.outcome).toBe("failed");
    expect(result.targets.map(({ outcome }) => outcome)).toEqual(["failed", "copied"]);
    expect(result.targets[0]?.error).toMatchObject({ failure: "denied" });
    expect(broken.tagsOf("mirror/app")).toEqual({});
    expect(to.tagsOf("mirror/app")).toEqual({ v1: source.tagsOf("app")["v1"] });
  });

  it("sends each blob once to two tags of one repository", async () => {
    const { source, to } = registries();
    source.addPlatforms("app", "v1", PLATFORMS);
    const digest = source.tagsOf("app")["v1"];
    const rules = { largeBlob: 5, partSize: 5 };
    const result = await copyNow(source, [target(to), target(to, "mirror/app", "latest")], rules);
    expect(result.targets.map(({ outcome }) => outcome)).toEqual(["copied", "copied"]);
    expect(to.tagsOf("mirror/app")).toEqual({ v1: digest, latest: digest });
    expect(to.count("close")).toBe(to.stored.get("mirror/app")?.blobs.size);
  });

  it("copies to those only that lack it", async () => {
    const { source, to } = registries();
    const second = new MemoryRegistry({ name: "second" });
    source.addImage("app", { tag: "v1" });
    await copyNow(source, to);
    const result = await copyNow(source, [target(to), target(second)]);
    expect(result.targets.map(({ outcome }) => outcome)).toEqual(["unchanged", "copied"]);
  });

  it("mounts the second time within one registry", async () => {
    const { source, to } = registries();
    source.addImage("app", { layers: ["x"], tag: "v1" });
    const ports = testPorts({ placed: createPlacedBlobs() });
    await copyNow(source, [target(to, "first/app")], {}, ports);
    const result = await copyNow(source, [target(to, "second/app")], {}, ports);
    expect(result.blobs).toEqual({ copied: 0, mounted: 2, skipped: 0 });
    expect(to.count("prepare")).toBe(2);
  });

  it("sends a blob once when two images at the same time have it", async () => {
    const { source, to } = registries();
    const layer = source.addBlob("app", "shared");
    source.slow = 2;
    const digests = ["a", "b"].map((other) => source.addImage("app", { layers: [layer, other] }).digest);
    const ports = testPorts({ placed: createPlacedBlobs() });
    const pull = { registry: source, repository: source.repository("app", "pull") };
    await Promise.all(
      digests.map((digest, index) =>
        copyImage(
          { repository: "app", tag: `v${index}`, digest },
          pull,
          [target(to, "app", `v${index}`)],
          RULES,
          ports,
        ),
      ),
    );
    expect(source.count("blob", layer.digest)).toBe(1);
  });
});

describe("platforms", () => {
  const select = [{ os: "linux", architecture: "amd64" }];

  it("sparse keeps the digest and leaves children out", async () => {
    const { source, to } = registries({ sparse: true });
    const index = source.addPlatforms("app", "v1", PLATFORMS);
    const result = await copyNow(source, to, { platforms: { mode: "sparse", select } });
    expect(result).toMatchObject({ outcome: "copied", digest: index.digest });
    expect(to.stored.get("mirror/app")?.manifests.size).toBe(2);
  });

  it("sparse says what to do when the target refuses", async () => {
    const { source, to } = registries();
    source.addPlatforms("app", "v1", PLATFORMS);
    await expect(copyNow(source, to, { platforms: { mode: "sparse", select } })).rejects.toThrow(
      "sparse indexes are not accepted by local: use mode rewrite",
    );
    expect(to.tagsOf("mirror/app")).toEqual({});
  });

  it("rewrite writes an index of its own, and knows it the next time", async () => {
    const { source, to } = registries();
    const index = source.addPlatforms("app", "v1", PLATFORMS);
    const rules = {
      platforms: { mode: "rewrite" as const, select },
      artifacts: { ...RULES.artifacts, digestTags: true },
    };
    const ports = testPorts();
    const result = await copyNow(source, to, rules, ports);
    expect(result.digest).not.toBe(index.digest);
    expect(to.tagsOf("mirror/app")["v1"]).toBe(result.digest);
    expect(to.stored.get("mirror/app")?.manifests.size).toBe(2);
    expect(result.warnings.join()).toMatch(/signatures/);
    source.calls.length = 0;
    const again = await copyNow(source, to, { ...rules, artifacts: RULES.artifacts }, ports);
    expect(again).toMatchObject({ outcome: "unchanged", digest: result.digest });
    expect(source.calls).toEqual([]);
    // Without memory it is found out by reading, and nothing is written.
    to.calls.length = 0;
    expect((await copyNow(source, to, { ...rules, artifacts: RULES.artifacts })).outcome).toBe("unchanged");
    expect(to.count("putManifest")).toBe(0);
  });

  it("rewrite replaces nested indexes too and drops those with nothing in them", async () => {
    const { source, to } = registries();
    const linux = source.addPlatforms("app", "linux", ["linux/amd64", "linux/arm64"]);
    const windows = source.addPlatforms("app", "windows", ["windows/amd64"]);
    source.addIndex("app", [linux, windows], { tag: "v1" });
    await copyNow(source, to, { platforms: { mode: "rewrite", select } });
    expect(to.stored.get("mirror/app")?.manifests.size).toBe(3);
  });

  it("single points the tag at the one image", async () => {
    const { source, to } = registries();
    source.addPlatforms("app", "v1", PLATFORMS);
    const ports = testPorts();
    const rules = { platforms: { mode: "single" as const, select } };
    const result = await copyNow(source, to, rules, ports);
    expect(result.outcome).toBe("copied");
    expect([...(to.stored.get("mirror/app")?.manifests.keys() ?? [])]).toEqual([result.digest]);
    source.calls.length = 0;
    expect((await copyNow(source, to, rules, ports)).outcome).toBe("unchanged");
    expect(source.calls).toEqual([]);
  });

  it.each(["sparse", "rewrite", "single"] as const)("%s skips what is for other platforms", async (mode) => {
    const { source, to } = registries();
    source.addPlatforms("app", "v1", ["windows/amd64"]);
    const result = await copyNow(source, to, { platforms: { mode, select } });
    expect(result.outcome).toBe("skipped");
    expect(result.warnings.join()).toMatch(/windows\/amd64/);
    expect(to.count("putManifest")).toBe(0);
  });

  it.each(["sparse", "rewrite", "single"] as const)(
    "%s goes by the config of an image without an index",
    async (mode) => {
      const { source, to } = registries();
      const ports = testPorts();
      const rules = { platforms: { mode, select } };
      source.addImage("app", { tag: "v1", config: { os: "linux", architecture: "arm64", variant: "v8" } });
      const skipped = await copyNow(source, to, rules, ports);
      expect(skipped.outcome).toBe("skipped");
      expect(skipped.warnings).toEqual(["it is for linux/arm64/v8 alone"]);
      expect(to.tagsOf("mirror/app")).toEqual({});
      // That is remembered: a read of the manifest counts in Docker Hub's quota.
      source.calls.length = 0;
      expect((await copyNow(source, to, rules, ports)).outcome).toBe("skipped");
      expect(source.calls).toEqual([]);

      const image = source.addImage("app", { tag: "v1", config: { os: "linux", architecture: "amd64" } });
      expect(await copyNow(source, to, rules, ports)).toMatchObject({ outcome: "copied", digest: image.digest });
      // The config is read once, and the manifest too.
      expect([source.count("manifest"), source.count("blob")]).toEqual([1, 2]);
    },
  );

  it("reads a config once that many images share", async () => {
    const { source, to } = registries();
    const ports = testPorts({ placed: createPlacedBlobs() });
    const rules = { platforms: { mode: "rewrite" as const, select } };
    for (const layer of ["a", "b"]) {
      source.addImage("app", { tag: "v1", layers: [layer] });
      expect((await copyNow(source, to, rules, ports)).outcome).toBe("copied");
    }
    expect(source.count("blob")).toBe(3);
  });

  it.each([
    ["no platform in its config", { config: { architecture: "" } }],
    ["a config of its own type", { config: {}, configType: "application/vnd.cncf.helm.config.v1+json" }],
    ["an artifact type", { config: { os: "windows", architecture: "amd64" }, artifactType: "text/x-note" }],
  ])("copy an artifact with %s whatever is selected", async (_what, image) => {
    const { source, to } = registries();
    source.addImage("app", { tag: "v1", ...image });
    expect((await copyNow(source, to, { platforms: { mode: "rewrite", select } })).outcome).toBe("copied");
  });

  it("rewrite writes no index of nothing", async () => {
    const { source, to } = registries();
    const windows = source.addPlatforms("app", "windows", ["windows/amd64"]);
    source.addIndex("app", [windows], { tag: "v1" });
    const result = await copyNow(source, to, { platforms: { mode: "rewrite", select } });
    expect(result).toMatchObject({ outcome: "skipped" });
    expect(result.warnings.join()).toContain("there is windows/amd64");
    expect(to.count("putManifest")).toBe(0);
  });

  it("sparse brings a platform that is selected later under an index that is there", async () => {
    const { source, to } = registries({ sparse: true });
    const index = source.addPlatforms("app", "v1", PLATFORMS);
    const ports = testPorts();
    const sparse = (...architectures: string[]) => ({
      platforms: {
        mode: "sparse" as const,
        select: architectures.map((architecture) => ({ os: "linux", architecture })),
      },
    });
    await copyNow(source, to, sparse("amd64"), ports);
    const wider = await copyNow(source, to, sparse("amd64", "arm64"), ports);
    expect(wider).toMatchObject({ outcome: "copied", digest: index.digest });
    expect(to.stored.get("mirror/app")?.manifests.size).toBe(3);
    source.calls.length = 0;
    expect((await copyNow(source, to, sparse("amd64", "arm64"), ports)).outcome).toBe("unchanged");
    expect(source.calls).toEqual([]);
  });

  it("copies attestations of the platforms that are kept", async () => {
    const { source, to } = registries();
    const images = ["amd64", "arm64"].map((architecture) => ({
      ...source.addImage("app", { layers: [architecture], config: { architecture } }),
      platform: { os: "linux", architecture },
    }));
    const attestations = images.map(({ digest }, index) => ({
      ...source.addImage("app", { layers: [`attestation ${index}`] }),
      platform: { os: "unknown", architecture: "unknown" },
      annotations: { "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": digest },
    }));
    source.addIndex("app", [...images, ...attestations], { tag: "v1" });
    await copyNow(source, to, { platforms: { mode: "rewrite", select } });
    const there = to.stored.get("mirror/app")?.manifests;
    expect(there?.has(attestations[0]?.digest ?? "")).toBe(true);
    expect(there?.has(attestations[1]?.digest ?? "")).toBe(false);
  });
});

describe("foreign layers", () => {
  const foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";

  it.each([
    ["skip", 0, true],
    ["include", 1, true],
    ["include", 0, false],
  ] as const)("%s (%i times sent, at the source: %s)", async (foreignLayers, sent, there) => {
    const { source, to } = registries();
    const layer = { ...source.addBlob("app", "windows", foreign), urls: ["https://elsewhere.test/layer"] };
    if (!there) source.stored.get("app")?.blobs.delete(layer.digest);
    source.addImage("app", { layers: [layer], tag: "v1" });
    const result = await copyNow(source, to, { artifacts: { ...RULES.artifacts, foreignLayers } });
    expect(result.outcome).toBe("copied");
    expect(to.count("putBlob", layer.digest)).toBe(sent);
    expect(result.warnings).toHaveLength(there ? 0 : 1);
  });
});
