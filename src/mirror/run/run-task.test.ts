import { describe, expect, it } from "vitest";
import { MemoryRegistry } from "../memory-registry.fixture.ts";
import { RegistryError } from "../registry.ts";
import { type CheckedImage, Planner } from "../plan/index.ts";
import { deleteTags } from "./delete-tags.ts";
import type { ItemResult, PruneResult, RunSummary } from "./run-summary.ts";
import { fakePorts, taskOf } from "./run.fixture.ts";
import { runTask } from "./run-task.ts";

function registries(...tags: readonly string[]) {
  const source = new MemoryRegistry({ name: "source", pageSize: 2 });
  const target = new MemoryRegistry({ name: "target" });
  for (const tag of tags) source.addImage("app", { tag, layers: [`layer of ${tag}`] });
  return { source, target };
}

function outcomes({ items }: RunSummary): Record<string, string> {
  return Object.fromEntries(items.map(({ repository, tag, outcome }) => [`${repository}:${tag}`, outcome]));
}

function itemOf({ items }: RunSummary, tag: string): ItemResult | undefined {
  return items.find((item) => item.tag === tag);
}

const boom = () => new RegistryError("refused", "boom", { status: 400 });
const unavailable = () => new RegistryError("transient", "503", { status: 503 });

describe("runTask", () => {
  it("copies what the rules select, and nothing again", async () => {
    const { source, target } = registries("v1", "v2", "v3", "dev");
    const task = taskOf(source, [target], { tags: { include: ["^v"] } });
    const first = await runTask(task, fakePorts());
    expect(first.state).toBe("succeeded");
    expect(first.counts.copied).toBe(3);
    expect(target.tagsOf("app")).toEqual(
      Object.fromEntries(Object.entries(source.tagsOf("app")).filter(([tag]) => tag !== "dev")),
    );
    source.calls.length = 0;
    target.calls.length = 0;
    const second = await runTask(task, fakePorts());
    expect(second).toMatchObject({ state: "unchanged", bytes: 0, counts: { unchanged: 3 } });
    // One HEAD at each side for each tag, and nothing else.
    expect(source.log().sort()).toEqual(["head v1", "head v2", "head v3", "tags "]);
    expect(target.log().sort()).toEqual(["head v1", "head v2", "head v3"]);
  });

  it("goes on when one tag is bad, and says which", async () => {
    const { source, target } = registries("a", "b", "c");
    target.failNext("putManifest", boom, 99, "b");
    const summary = await runTask(taskOf(source, [target]), fakePorts());
    expect(summary.state).toBe("partial");
    expect(outcomes(summary)).toEqual({ "app:a": "copied", "app:b": "failed", "app:c": "copied" });
    expect(itemOf(summary, "b")).toMatchObject({ error: "boom", failure: "refused", targets: [{ outcome: "failed" }] });
  });

  it("fails when nothing worked", async () => {
    const { source, target } = registries("a");
    source.failNext("head", boom, 99);
    expect(await runTask(taskOf(source, [target]), fakePorts())).toMatchObject({
      state: "failed",
      counts: { failed: 1 },
    });
  });

  it("tries again what may pass, and gives up after the attempts of the rules", async () => {
    const { source, target } = registries("a", "b");
    source.failNext("head", unavailable, 2, "a");
    target.failNext("putManifest", unavailable, 99, "b");
    const ports = fakePorts();
    const summary = await runTask(taskOf(source, [target], { retry: { attempts: 3 } }), ports);
    expect(outcomes(summary)).toEqual({ "app:a": "copied", "app:b": "failed" });
    expect(ports.retried.filter((what) => what === "app:a")).toHaveLength(2);
    expect(target.count("putManifest", "b")).toBe(3);
  });

  it("reads a list again that broke off", async () => {
    const { source, target } = registries("a", "b", "c");
    source.failNext("tags", unavailable);
    expect((await runTask(taskOf(source, [target]), fakePorts())).counts.copied).toBe(3);
  });

  it("goes on when the tags of one repository cannot be listed", async () => {
    const { source, target } = registries("a");
    source.addImage("other", { tag: "x" });
    source.before = ({ operation, repository }) => {
      if (operation === "tags" && repository === "app") throw boom();
    };
    const summary = await runTask(taskOf(source, [target], {}, { repositories: ["app", "other"] }), fakePorts());
    expect(summary).toMatchObject({ state: "partial", listingFailures: [{ repository: "app", error: "boom" }] });
    expect(outcomes(summary)).toEqual({ "other:x": "copied" });
  });

  it("fails when the repositories cannot be listed", async () => {
    const { source, target } = registries("a");
    source.failNext("repositories", boom, 99);
    const summary = await runTask(taskOf(source, [target], {}, { repositories: ["*"] }), fakePorts());
    expect(summary).toMatchObject({ state: "failed", listingFailures: [{ error: "boom" }] });
  });

  it("says so when no repository is selected", async () => {
    const { source, target } = registries("a");
    const summary = await runTask(taskOf(source, [target], {}, { repositories: ["none*"] }), fakePorts());
    expect(summary).toMatchObject({ state: "unchanged", warnings: ["source has no repository that the task selects"] });
  });

  it("writes under other names, to several targets", async () => {
    const { source, target } = registries();
    const other = new MemoryRegistry({ name: "other" });
    source.addImage("team/app", { tag: "v1" });
    const task = taskOf(
      source,
      [{ registry: target, repository: "mirror/{{ .Name }}", tag: "copy-{{ .Tag }}" }, { registry: other }],
      {},
      { project: "team" },
    );
    const summary = await runTask(task, fakePorts());
    expect(itemOf(summary, "v1")?.targets).toMatchObject([
      { registry: "target", repository: "mirror/app", tag: "copy-v1", outcome: "copied" },
      { registry: "other", repository: "team/app", tag: "v1", outcome: "copied" },
    ]);
    expect(Object.keys(target.tagsOf("mirror/app"))).toEqual(["copy-v1"]);
  });

  it("does not let two images take turns in one place", async () => {
    const { source, target } = registries();
    source.addImage("x/app", { tag: "v1", layers: ["x"] });
    source.addImage("y/app", { tag: "v1", layers: ["y"] });
    const task = taskOf(
      source,
      [{ registry: target, repository: "{{ .Base }}" }],
      {},
      { repositories: ["x/app", "y/app"] },
    );
    const summary = await runTask(task, fakePorts());
    expect(summary.state).toBe("partial");
    expect(summary.items.find(({ outcome }) => outcome === "failed")?.error).toContain("has the same name at target");
  });

  it("keeps what one target got when the other fails", async () => {
    const { source, target } = registries("a");
    const broken = new MemoryRegistry({ name: "broken" });
    broken.failNext("putManifest", boom, 99);
    const summary = await runTask(taskOf(source, [target, broken]), fakePorts());
    expect(itemOf(summary, "a")?.targets.map(({ registry, outcome }) => `${registry} ${outcome}`)).toEqual([
      "target copied",
      "broken failed",
    ]);
    expect(summary.state).toBe("partial");
  });

  it.each([
    ["overwrite", "copied", "succeeded"],
    ["skip", "skipped", "unchanged"],
    ["fail", "conflict", "failed"],
  ] as const)("does what the rules say about another image: %s", async (existing, outcome, state) => {
    const { source, target } = registries("a");
    const old = target.addImage("app", { tag: "a", layers: ["older"] }).digest;
    const summary = await runTask(taskOf(source, [target], { existing }), fakePorts());
    expect(outcomes(summary)).toEqual({ "app:a": outcome });
    expect(summary.state).toBe(state);
    expect(target.tagsOf("app")["a"] === old).toBe(outcome !== "copied");
  });

  it("says why, where one target takes it and another has another image", async () => {
    const { source, target } = registries("a");
    const other = new MemoryRegistry({ name: "other" });
    other.addImage("app", { tag: "a", layers: ["older"] });
    const summary = await runTask(taskOf(source, [target, other], { existing: "fail" }), fakePorts());
    expect(itemOf(summary, "a")).toMatchObject({
      outcome: "conflict",
      failure: "conflict",
      error: "the tag is another image at the target",
    });
    expect(target.tagsOf("app")).toEqual(source.tagsOf("app"));
  });

  it("takes a rewritten index for unchanged the next time", async () => {
    const { source, target } = registries();
    source.addPlatforms("app", "v1", ["linux/amd64", "linux/arm64"]);
    const task = taskOf(source, [target], { platforms: { mode: "rewrite", select: [{ architecture: "amd64" }] } });
    const ports = fakePorts();
    expect((await runTask(task, ports)).counts.copied).toBe(1);
    source.calls.length = 0;
    expect((await runTask(task, ports)).state).toBe("unchanged");
    expect(source.log()).toEqual(["tags ", "head v1"]);
  });

  it.each(["rewrite", "sparse", "single"] as const)(
    "skips what has none of the platforms, by one HEAD: %s",
    async (mode) => {
      const { source, target } = registries("v1");
      const platforms = { mode, select: [{ architecture: "arm64" }] };
      const task = taskOf(source, [target], { platforms });
      const ports = fakePorts();
      expect(outcomes(await runTask(task, ports))).toEqual({ "app:v1": "skipped" });
      source.calls.length = 0;
      const summary = await runTask(task, ports);
      expect(itemOf(summary, "v1")).toMatchObject({
        outcome: "skipped",
        error: "it has none of the selected platforms",
      });
      expect(source.log()).toEqual(["tags ", "head v1"]);
    },
  );

  it("copies what the tag stands for now if what it stood for is gone", async () => {
    const { source, target } = registries("a");
    source.before = ({ operation }) => {
      if (operation !== "manifest") return;
      source.before = undefined;
      source.stored.get("app")?.manifests.clear();
      source.addImage("app", { tag: "a", layers: ["newer"] });
    };
    const summary = await runTask(taskOf(source, [target]), fakePorts());
    expect(summary.state).toBe("succeeded");
    expect(target.tagsOf("app")).toEqual(source.tagsOf("app"));
    expect(itemOf(summary, "a")?.digest).toBe(source.tagsOf("app")["a"]);
  });

  it("gives up an attempt that takes too long", async () => {
    const { source, target } = registries("a");
    source.slow = 60_000;
    const task = { ...taskOf(source, [target], { retry: { attempts: 2 } }), timeout: 20 };
    const summary = await runTask(task, fakePorts());
    expect(itemOf(summary, "a")).toMatchObject({ outcome: "failed", failure: "transient" });
    expect(itemOf(summary, "a")?.error).toContain("took longer than 20ms");
  });

  describe("that is a dry run", () => {
    it("writes nothing and says what it would", async () => {
      const { source, target } = registries("a", "b");
      await runTask(taskOf(source, [target], { tags: { include: ["a"] } }), fakePorts());
      target.addImage("app", { tag: "gone", layers: ["x"] });
      const before = target.tagsOf("app");
      const rules = { prune: { enabled: true, dryRun: false, maximumShare: 1 } };
      const summary = await runTask(taskOf(source, [target], rules), fakePorts(), { dryRun: true });
      expect(outcomes(summary)).toEqual({ "app:a": "unchanged", "app:b": "would-copy" });
      expect(summary.pruned).toMatchObject([{ tags: ["gone"], dryRun: true }]);
      expect(summary.counts).toMatchObject({ deleted: 0, "would-delete": 1 });
      expect(target.tagsOf("app")).toEqual(before);
      expect(source.count("manifest", "b")).toBe(0);
    });
  });

  describe("of failed images only", () => {
    it("looks at these and at no others", async () => {
      const { source, target } = registries("a", "b");
      const only = [{ repository: "app", tag: "b" }];
      const summary = await runTask(taskOf(source, [target]), fakePorts(), { only });
      expect(outcomes(summary)).toEqual({ "app:b": "copied" });
      expect(source.count("tags")).toBe(0);
    });

    it("says so when one is gone meanwhile", async () => {
      const { source, target } = registries("a");
      const summary = await runTask(taskOf(source, [target]), fakePorts(), { only: [{ repository: "app", tag: "x" }] });
      expect(itemOf(summary, "x")).toMatchObject({ outcome: "skipped", error: "the tag is gone from the source" });
    });
  });

  describe("that is stopped", () => {
    it("is canceled, with what ended before", async () => {
      const { source, target } = registries("a", "b", "c");
      const ports = fakePorts();
      target.before = ({ operation, reference }) => {
        if (operation === "putManifest" && reference === "b") ports.stop.abort(new Error("stopped"));
      };
      const summary = await runTask(taskOf(source, [target], { concurrency: 1 }), ports);
      expect(summary.state).toBe("canceled");
      expect(outcomes(summary)).toEqual({ "app:a": "copied", "app:b": "canceled" });
    });

    it("ends soon, even while a layer is on its way", async () => {
      const { source, target } = registries("a");
      source.slow = 60_000;
      const ports = fakePorts();
      setTimeout(() => ports.stop.abort(new Error("stopped")), 30);
      const start = Date.now();
      expect((await runTask(taskOf(source, [target]), ports)).state).toBe("canceled");
      expect(Date.now() - start).toBeLessThan(30_000);
    });
  });

  describe("with tags by age", () => {
    const dated = (source: MemoryRegistry, tag: string, created: string) =>
      source.addImage("app", { tag, config: { os: "linux", architecture: "amd64", created } });

    it("takes the images that were created last, and remembers when that was", async () => {
      const { source, target } = registries();
      dated(source, "old", "2026-01-01T00:00:00Z");
      dated(source, "new", "2026-01-03T00:00:00Z");
      dated(source, "middle", "2026-01-02T00:00:00Z");
      const dates = new Map<string, number | null>();
      const created = {
        load: async (digest: string) => dates.get(digest),
        save: async (digest: string, time: number | null) => void dates.set(digest, time),
      };
      const task = taskOf(source, [target], { tags: { newest: { count: 2, by: "created" } } });
      const summary = await runTask(task, fakePorts({ created }));
      expect(Object.keys(outcomes(summary)).sort()).toEqual(["app:middle", "app:new"]);
      source.calls.length = 0;
      await runTask(task, fakePorts({ created }));
      expect(source.count("manifest") + source.count("blob")).toBe(0);
    });

    it("leaves out what is too young, and warns of what does not say", async () => {
      const { source, target } = registries();
      dated(source, "old", "2026-01-01T00:00:00Z");
      dated(source, "young", "2026-01-30T20:00:00Z");
      source.addImage("app", { tag: "silent", layers: ["x"] });
      const summary = await runTask(taskOf(source, [target], { tags: { minimumAge: "24h" } }), fakePorts());
      expect(Object.keys(outcomes(summary))).toEqual(["app:old"]);
      expect(summary.warnings.join()).toContain("silent");
    });
  });

  describe("with what belongs to images", () => {
    const artifacts = { referrers: true, digestTags: true };
    const signature = { artifactType: "application/vnd.test.signature", layers: ["signed"] };

    it("notices a signature on an unchanged image when a look is due", async () => {
      const { source, target } = registries("a");
      const due = new Set<string>();
      const referrerChecks = {
        due: async (image: CheckedImage) => due.has(JSON.stringify(image)),
        done: async (image: CheckedImage) => void due.delete(JSON.stringify(image)),
      };
      const task = taskOf(source, [target], { artifacts });
      const ports = fakePorts({ referrerChecks });
      await runTask(task, ports);
      const [digest = ""] = Object.values(source.tagsOf("app"));
      const image = source.stored.get("app")?.manifests.get(digest);
      if (image === undefined) throw new Error("no image");
      source.addImage("app", { ...signature, subject: { ...image, size: image.bytes.byteLength } });
      expect((await runTask(task, ports)).state).toBe("unchanged");
      due.add(JSON.stringify({ task: "task", repository: "app", digest }));
      expect((await runTask(task, ports)).state).toBe("succeeded");
      expect(await target.repository("app", "pull").referrers(digest)).toHaveLength(1);
      expect((await runTask(task, ports)).state).toBe("unchanged");
    });

    it("notices a new tag that is named after a digest at once", async () => {
      const { source, target } = registries("v1");
      const task = taskOf(source, [target], { artifacts, tags: { include: ["^v1$"] } });
      await runTask(task, fakePorts());
      const [digest = ""] = Object.values(source.tagsOf("app"));
      const tag = `${digest.replace(":", "-")}.sig`;
      source.addImage("app", { ...signature, tag });
      expect((await runTask(task, fakePorts())).state).toBe("succeeded");
      expect(target.tagsOf("app")[tag]).toBe(source.tagsOf("app")[tag]);
      expect((await runTask(task, fakePorts())).state).toBe("unchanged");
    });
  });

  describe("that prunes", () => {
    const prune = { enabled: true, dryRun: false, maximumShare: 0.5 };

    it("deletes what the source no longer has, and leaves the rest", async () => {
      const { source, target } = registries("a", "b");
      target.addImage("app", { tag: "gone", layers: ["x"] });
      const summary = await runTask(taskOf(source, [target], { prune }), fakePorts());
      expect(summary.pruned).toEqual([
        { registry: "target", repository: "app", tags: ["gone"], dryRun: false, failed: [] },
      ]);
      expect(summary.counts).toMatchObject({ deleted: 1, "would-delete": 0 });
      expect(Object.keys(target.tagsOf("app")).sort()).toEqual(["a", "b"]);
    });

    it.each([
      ["the source is empty", { tags: [], gone: ["x"], rule: prune }],
      ["too much would go", { tags: ["a"], gone: ["x", "y", "z"], rule: prune }],
    ])("deletes nothing when %s", async (_case, { tags, gone, rule }) => {
      const { source, target } = registries(...tags);
      for (const tag of gone) target.addImage("app", { tag, layers: [tag] });
      const summary = await runTask(taskOf(source, [target], { prune: rule }), fakePorts());
      expect(target.count("deleteTag")).toBe(0);
      expect(summary.warnings.join()).toContain("nothing was deleted from app at target");
    });

    it("deletes nothing when the tags could not be listed", async () => {
      const { source, target } = registries("a");
      target.addImage("app", { tag: "x", layers: ["x"] });
      source.failNext("tags", boom, 99);
      const summary = await runTask(taskOf(source, [target], { prune: { ...prune, maximumShare: 1 } }), fakePorts());
      expect(target.count("deleteTag")).toBe(0);
      expect(summary.pruned).toMatchObject([{ refused: "app: the source's tags could not all be listed" }]);
    });

    it("copies what it saw of a list that broke off, says so, and deletes nothing", async () => {
      const { source, target } = registries("a", "b", "c", "d");
      for (const tag of ["c", "x"]) target.addImage("app", { tag, layers: [tag] });
      source.brokenLists.add("tags");
      const summary = await runTask(taskOf(source, [target], { prune: { ...prune, maximumShare: 1 } }), fakePorts());
      expect(summary).toMatchObject({
        state: "partial",
        counts: { copied: 2, deleted: 0 },
        listingFailures: [{ repository: "app", error: "the list may not be whole" }],
        pruned: [{ tags: [], refused: "app: the source's tags could not all be listed" }],
      });
      expect(Object.keys(target.tagsOf("app")).sort()).toEqual(["a", "b", "c", "x"]);
    });

    it("deletes nothing when the repositories could not all be listed", async () => {
      const { source, target } = registries("a");
      target.addImage("app", { tag: "x", layers: ["x"] });
      source.brokenLists.add("repositories");
      const task = taskOf(source, [target], { prune: { ...prune, maximumShare: 1 } }, { repositories: ["**"] });
      const summary = await runTask(task, fakePorts());
      expect(summary).toMatchObject({ state: "partial", counts: { copied: 1, deleted: 0 } });
      expect(summary.warnings.join()).toContain("nothing was deleted");
      expect(Object.keys(target.tagsOf("app")).sort()).toEqual(["a", "x"]);
    });

    it.each([
      ["the run is stopped", (stop: AbortController) => stop.abort(new Error("stop"))],
      ["the rest is put off", () => undefined],
    ])("says what it deleted when %s", async (_case, end) => {
      const { source, target } = registries("a");
      for (const tag of ["x", "y"]) target.addImage("app", { tag, layers: [tag] });
      const ports = fakePorts();
      target.before = ({ operation, reference }) => {
        if (operation !== "deleteTag" || reference === "x") return;
        end(ports.stop);
        throw new RegistryError("delayed", "later");
      };
      const task = taskOf(source, [target], { prune: { ...prune, maximumShare: 1 } });
      const results: PruneResult[] = [];
      const pruned = async () => {
        for await (const step of new Planner(task, ports).deletions()) {
          if (step.type !== "deletion") throw new Error(step.type);
          for await (const result of deleteTags(task, step.deletion, ports, { dryRun: false })) results.push(result);
        }
      };
      await expect(pruned()).rejects.toThrow();
      expect(results).toMatchObject([{ tags: ["x"], failed: [] }]);
    });

    it("keeps what another repository still writes to the same place", async () => {
      const { source, target } = registries();
      source.addImage("x/app", { tag: "1", layers: ["1"] });
      source.addImage("y/app", { tag: "2", layers: ["2"] });
      target.addImage("app", { tag: "3", layers: ["3"] });
      const select = { repositories: ["x/app", "y/app"] };
      const task = taskOf(
        source,
        [{ registry: target, repository: "{{ .Base }}" }],
        { prune: { ...prune, maximumShare: 1 } },
        select,
      );
      await runTask(task, fakePorts());
      expect(Object.keys(target.tagsOf("app")).sort()).toEqual(["1", "2"]);
    });

    it("only says so by default", async () => {
      const { source, target } = registries("a", "b");
      target.addImage("app", { tag: "gone", layers: ["x"] });
      const summary = await runTask(
        taskOf(source, [target], { prune: { enabled: true, maximumShare: 1 } }),
        fakePorts(),
      );
      expect(summary.pruned).toMatchObject([{ tags: ["gone"], dryRun: true }]);
      expect(target.count("deleteTag")).toBe(0);
    });

    it("counts a tag that cannot be deleted as a failure", async () => {
      const { source, target } = registries("a", "b");
      target.addImage("app", { tag: "gone", layers: ["x"] });
      target.failNext("deleteTag", boom, 99);
      const summary = await runTask(taskOf(source, [target], { prune }), fakePorts());
      expect(summary).toMatchObject({ state: "partial", pruned: [{ failed: [{ tag: "gone", error: "boom" }] }] });
    });
  });

  it("asks for permits, and gives all of them back", async () => {
    const { source, target } = registries("a", "b", "c");
    target.failNext("putManifest", boom, 99, "b");
    let held = 0;
    let most = 0;
    const permits = async () => {
      held += 1;
      most = Math.max(most, held);
      return () => void (held -= 1);
    };
    await runTask(taskOf(source, [target], { concurrency: 2 }), fakePorts({ permits }));
    expect([held, most]).toEqual([0, 2]);
  });
});
