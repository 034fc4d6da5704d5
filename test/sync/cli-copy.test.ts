import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CountingProxy, startCountingProxy } from "../support/counting-proxy.ts";
import { ImageFactory, TEN_PLATFORMS, TYPES } from "../support/image-factory.ts";
import { type RegistryKind, startRegistry, type TestRegistry } from "../support/registries.ts";
import { copying, type SyncCommand, syncCommand } from "./sync-command.ts";

const TAGS = 30;

/** The command against real registries: everything is copied once, and then only what changes. */
describe.each<[RegistryKind, RegistryKind]>([
  ["docker-registry", "entrepot"],
  ["entrepot", "distribution"],
  ["distribution", "docker-registry"],
])("entrepot sync from %s to %s", (from, to) => {
  let source: TestRegistry;
  let target: TestRegistry;
  let atSource: CountingProxy;
  let atTarget: CountingProxy;
  let command: SyncCommand;

  beforeAll(async () => {
    [source, target] = await Promise.all([startRegistry(from), startRegistry(to)]);
    [atSource, atTarget] = await Promise.all([startCountingProxy(source.url), startCountingProxy(target.url)]);
    command = syncCommand();
  });
  afterAll(async () => {
    command.remove();
    await Promise.all([atSource, atTarget, source, target].map((each) => each.stop()));
  });

  const sync = (repository: string, rules: object = {}, ...args: readonly string[]) =>
    command.run(copying(atSource.url, atTarget.url, repository, rules), ...args);
  const both = (repository: string) =>
    [new ImageFactory(source.url, repository), new ImageFactory(target.url, repository)] as const;
  const forget = (): void => {
    atSource.reset();
    atTarget.reset();
  };

  it("copies all tags, then only the one that moved", async () => {
    const [here, there] = both("team/app");
    await here.manyTags("v", TAGS);
    const first = await sync("team/app");
    expect(first.code, first.said).toBe(0);
    expect(first.summary).toMatchObject({ state: "succeeded", counts: { copied: TAGS } });
    expect([...(await there.tags())].sort()).toEqual([...(await here.tags())].sort());
    for (const tag of await here.tags()) expect(await there.digest(tag)).toBe(await here.digest(tag));
    expect(await there.broken("v7")).toEqual([]);

    forget();
    const second = await sync("team/app");
    expect(second.summary, second.said).toMatchObject({ state: "unchanged", counts: { unchanged: TAGS }, bytes: 0 });
    // One HEAD for each tag and side, and the list.
    expect(atSource.count("HEAD manifest")).toBe(TAGS);
    expect(atSource.count()).toBe(TAGS + 1);
    expect(atTarget.count()).toBe(TAGS);
    expect(atTarget.count("HEAD manifest")).toBe(TAGS);

    await here.image({ seed: "moved", tag: "v5" });
    forget();
    const third = await sync("team/app");
    expect(third.summary, third.said).toMatchObject({ counts: { copied: 1, unchanged: TAGS - 1 } });
    expect(third.items.filter(({ outcome }) => outcome === "copied").map(({ tag }) => tag)).toEqual(["v5"]);
    expect(await there.digest("v5")).toBe(await here.digest("v5"));
    // A registry without the referrers API is asked for a tag that would be the list of them, and does not have it.
    expect(atSource.seen.filter(({ kind, status }) => kind === "GET manifest" && status === 200)).toHaveLength(1);
    expect(atSource.count("GET blob")).toBe(2);
    expect(atTarget.seen.findLast(({ kind }) => kind === "PUT manifest")?.path).toMatch(/\/manifests\/v5$/);
  });

  it("says what it would copy, and copies nothing, with --dry-run", async () => {
    const [here, there] = both("team/dry");
    await here.image({ seed: "dry", tag: "v1" });
    const run = await sync("team/dry", {}, "--dry-run");
    expect(run.code, run.said).toBe(0);
    expect(run.summary.counts).toMatchObject({ "would-copy": 1, copied: 0 });
    expect(await there.tags()).toEqual([]);
  });

  it("copies only the tags that the rules select", async () => {
    const [here, there] = both("team/rules");
    for (const tag of ["1.9.0", "1.10.0", "1.11.0-rc1", "2.0.0", "latest", "nightly"]) {
      await here.image({ seed: tag, tag });
    }
    const run = await sync("team/rules", {
      tags: { include: ["^\\d"], exclude: ["-rc"], newest: { count: 2, by: "version" } },
    });
    expect(run.code, run.said).toBe(0);
    expect([...(await there.tags())].sort()).toEqual(["1.10.0", "2.0.0"]);
  });

  it("copies an image of ten platforms with its attestations as it is", async () => {
    const [here, there] = both("team/multi");
    const { index } = await here.platforms("v1", TEN_PLATFORMS, { attestations: true });
    const run = await sync("team/multi");
    expect(run.code, run.said).toBe(0);
    expect(await there.digest("v1")).toBe(index.digest);
    expect(await there.broken("v1")).toEqual([]);
  });

  it("writes an index of the selected platforms and their attestations with mode rewrite", async () => {
    const [here, there] = both("team/rewrite");
    const { index, images } = await here.platforms("v1", TEN_PLATFORMS, { attestations: true });
    const rules = {
      platforms: { mode: "rewrite", select: [{ architecture: "amd64" }, { architecture: "arm64" }] },
    };
    const run = await sync("team/rewrite", rules);
    expect(run.code, run.said).toBe(0);
    const written = await there.fetch("v1");
    expect(written.digest).not.toBe(index.digest);
    const entries = written.body.manifests ?? [];
    expect(entries.map(({ platform }) => platform?.architecture)).toEqual(["amd64", "arm64", "unknown", "unknown"]);
    expect(entries.slice(0, 2).map(({ digest }) => digest)).toEqual(images.slice(0, 2).map(({ digest }) => digest));
    expect(JSON.stringify(written.body.annotations)).toContain(index.digest);
    expect(await there.broken("v1")).toEqual([]);

    forget();
    const again = await sync("team/rewrite", rules);
    expect(again.summary.counts, again.said).toMatchObject({ unchanged: 1, copied: 0 });
    expect([atSource.count("HEAD manifest"), atTarget.count()]).toEqual([1, 1]);
  });

  it("writes one platform's image with mode single", async () => {
    const [here, there] = both("team/single");
    const { images } = await here.platforms("v1", TEN_PLATFORMS);
    const run = await sync("team/single", {
      platforms: { mode: "single", select: [{ architecture: "arm", variant: "v7" }] },
    });
    expect(run.code, run.said).toBe(0);
    expect(await there.digest("v1")).toBe(images[2]?.digest);
    expect(await there.broken("v1")).toEqual([]);
  });

  it("copies referrers, what refers to those, and the tags of cosign", async () => {
    const [here, there] = both("team/signed");
    const { index, images } = await here.platforms("v1", TEN_PLATFORMS.slice(0, 2));
    const [amd64 = index] = images;
    const signature = await here.referrer(index, "signature");
    const sbom = await here.referrer(amd64, "sbom", "application/spdx+json");
    const ofSbom = await here.referrer(sbom, "signature of the SBOM");
    const cosign = await here.cosignTag(index);
    const run = await sync("team/signed");
    expect(run.code, run.said).toBe(0);
    expect(await there.referrers(index.digest)).toEqual([signature.digest]);
    expect(await there.referrers(amd64.digest)).toEqual([sbom.digest]);
    expect(await there.referrers(sbom.digest)).toEqual([ofSbom.digest]);
    expect(await there.digest(`${index.digest.replace(":", "-")}.sig`)).toBe(cosign.digest);
    for (const { digest } of [signature, sbom, ofSbom]) expect(await there.broken(digest)).toEqual([]);

    // What comes later does not change a tag, so it is looked for as often as one says.
    const later = await here.referrer(index, "a later signature");
    const quick = await sync("team/signed");
    expect(quick.summary, quick.said).toMatchObject({ counts: { unchanged: 1 } });
    const thorough = await sync("team/signed", {}, "--referrers-every", "0s");
    expect(thorough.code, thorough.said).toBe(0);
    expect(await there.referrers(index.digest)).toEqual([signature.digest, later.digest].sort());
    expect(await there.digest("v1")).toBe(index.digest);
  });

  it("copies charts and other artifacts, with empty layers and configs too", async () => {
    const [here, there] = both("charts/app");
    await here.chart("app", "1.2.3");
    const empty = await here.blob(Buffer.from("{}"), TYPES.empty);
    await here.image({ seed: "artifact", config: empty, layers: [0], artifactType: "text/x-note", tag: "note" });
    const run = await sync("charts/app");
    expect(run.code, run.said).toBe(0);
    for (const tag of ["1.2.3", "note"]) {
      expect(await there.digest(tag)).toBe(await here.digest(tag));
      expect(await there.broken(tag)).toEqual([]);
    }
  });

  it.each(["skip", "fail"])("leaves a tag that is another image with existing: %s", async (existing) => {
    const [here, there] = both(`team/${existing}`);
    await here.image({ seed: "new", tag: "v1" });
    const old = await there.image({ seed: "old", tag: "v1" });
    const run = await sync(`team/${existing}`, { existing });
    expect(run.code, run.said).toBe(existing === "fail" ? 1 : 0);
    expect(run.items[0]?.outcome).toBe(existing === "fail" ? "conflict" : "skipped");
    expect(await there.digest("v1")).toBe(old.digest);
  });

  it("mounts what another repository of the target has", async () => {
    const [here] = both("team/first");
    const [second, there] = both("team/second");
    await here.image({ seed: "mounted", layers: [50_000, 60_000], tag: "v1" });
    await second.image({ seed: "mounted", layers: [50_000, 60_000], tag: "v1" });
    const config = {
      ...copying(atSource.url, atTarget.url, "unused"),
      sync_rules: [
        {
          name: "both",
          enabled: true,
          concurrency: 1,
          source: { registry: "source", repositories: ["team/first", "team/second"] },
          target: { registry: "target" },
        },
      ],
    };
    const run = await command.run(config);
    expect(run.code, run.said).toBe(0);
    expect(run.summary.blobs).toMatchObject({ copied: 3, mounted: 3 });
    expect(await there.broken("v1")).toEqual([]);
  });
});
