import { describe, expect, it, vi } from "vitest";
import { patterned } from "../../../src/mirror/memory-registry.fixture.ts";
import { RegistryError } from "../../../src/mirror/index.ts";
import { SYNC_TASKS } from "../../../src/sync/index.ts";
import { executionObject } from "../../../src/sync/kinds/execution.ts";
import { viewExecution } from "../../../src/sync/rest/execution-view.ts";
import { showRun } from "../../../src/sync/worker/show-run.ts";
import { COPY_APP, syncWorld } from "./run-fixture.ts";

// Minutes by the test's own clock take no time, but large layers on a busy machine do.
vi.setConfig({ testTimeout: 300_000 });

const MINUTE = 60_000;
const APP = "team/app";

describe("a run", () => {
  it("copies what is new, and says so in the task, the run and to those who want to know", async () => {
    const world = syncWorld();
    for (const tag of ["v1", "v2", "v3", "v4"]) world.source.addImage(APP, { layers: [`of ${tag}`], tag });
    const task = await world.task("app", COPY_APP);
    const { id } = await world.run(task);
    await world.settle();
    expect(world.target.tagsOf(APP)).toEqual(world.source.tagsOf(APP));
    const run = await world.execution(id);
    expect(run).toMatchObject({ state: "succeeded", itemsTotal: 4, itemsCopied: 4, itemsFailed: 0 });
    // Four layers, and a config that all of them share.
    expect(run.blobsCopied).toBe(5);
    expect(run.bytesCopied).toBe(run.bytesTotal);
    expect(world.ended.map((run) => run.state)).toEqual(["succeeded"]);
    const { status } = await world.read("app");
    expect(status?.lastExecution).toMatchObject({ name: `app-${id}`, state: "succeeded" });
    expect(status?.conditions).toContainEqual(expect.objectContaining({ type: "Complete", status: "True" }));
  });

  it("costs one HEAD at each side for a tag that did not change", async () => {
    const world = syncWorld();
    for (const tag of ["v1", "v2"]) world.source.addImage(APP, { tag });
    const task = await world.task("app", COPY_APP);
    await world.run(task);
    await world.settle();
    world.source.calls.length = 0;
    world.target.calls.length = 0;
    const { id } = await world.run(task);
    await world.settle();
    expect(world.source.log().sort()).toEqual(["head v1", "head v2", "tags "]);
    expect(world.target.log().sort()).toEqual(["head v1", "head v2"]);
    expect(await world.execution(id)).toMatchObject({ state: "unchanged", itemsUnchanged: 2 });
  });

  it("brings a signature that was added to an image that did not change, a day later", async () => {
    const world = syncWorld();
    const image = world.source.addImage(APP, { tag: "v1" });
    const task = await world.task("app", COPY_APP);
    await world.run(task);
    await world.settle();
    const signature = world.source.addImage(APP, { layers: ["signature"], subject: image });
    const there = async () => world.target.repository(APP, "pull").head(signature.digest);
    await world.run(task);
    await world.settle();
    expect(await there()).toBeUndefined();
    world.time.now += 24 * 60 * MINUTE;
    await world.run(task);
    await world.settle();
    expect(await there()).toBeDefined();
  });

  it("goes on past a tag that cannot be copied, and can repeat just that", async () => {
    const world = syncWorld();
    world.source.addImage(APP, { layers: ["good"], tag: "good" });
    const layer = world.source.addBlob(APP, "lost");
    world.source.addImage(APP, { layers: [layer], tag: "bad" });
    world.source.stored.get(APP)?.blobs.delete(layer.digest);
    const task = await world.task("app", COPY_APP);
    const { id } = await world.run(task);
    await world.settle();
    const run = await world.execution(id);
    expect(run).toMatchObject({ state: "partial", itemsCopied: 1, itemsFailed: 1 });
    expect(run.error).toContain(`${APP}:bad`);
    expect(Object.keys(world.target.tagsOf(APP))).toEqual(["good"]);

    world.source.addBlob(APP, "lost");
    world.source.calls.length = 0;
    const again = await world.run(task, { onlyFailedOf: id });
    await world.settle();
    expect(await world.execution(again.id)).toMatchObject({ state: "succeeded", itemsTotal: 1, itemsCopied: 1 });
    expect(world.source.count("head", "good")).toBe(0);
    expect(Object.keys(world.target.tagsOf(APP)).sort()).toEqual(["bad", "good"]);
  });

  it("fails where the repository cannot be listed", async () => {
    const world = syncWorld();
    world.source.failNext("tags", () => new RegistryError("denied", "hub: no", { status: 403 }));
    const { id } = await world.run(await world.task("app", COPY_APP));
    await world.settle();
    expect(await world.execution(id)).toMatchObject({ state: "failed", error: expect.stringContaining("hub: no") });
  });

  it("repeats all of a task whose lists could not be read", async () => {
    const world = syncWorld();
    world.source.addImage(APP, { tag: "v1" });
    world.source.failNext("tags", () => new RegistryError("denied", "hub: no", { status: 403 }));
    const task = await world.task("app", COPY_APP);
    const { id } = await world.run(task);
    await world.settle();
    const again = await world.run(task, { onlyFailedOf: id });
    await world.settle();
    expect(await world.execution(again.id)).toMatchObject({ state: "succeeded", itemsCopied: 1, onlyFailedOf: null });
  });

  it("passes over a repository of the list that is not there yet", async () => {
    const world = syncWorld();
    world.source.addImage(APP, { tag: "v1" });
    world.source.addBlob("team/new", "first layer");
    const missing = () => new RegistryError("missing", "hub: no such repository", { status: 404 });
    world.source.before = ({ operation, repository }) => {
      if (operation === "tags" && repository === "team/new") throw missing();
    };
    const source = { registry: "hub", project: "team" };
    const { id } = await world.run(await world.task("team", { ...COPY_APP, source }));
    await world.settle();
    expect(await world.execution(id)).toMatchObject({ state: "succeeded", itemsTotal: 1 });
  });

  it("tries again what may pass, and gives up in the end", async () => {
    const world = syncWorld();
    world.source.addImage(APP, { tag: "v1" });
    const task = await world.task("app", COPY_APP);
    world.target.failNext("putManifest", () => new RegistryError("transient", "mirror: 503", { status: 503 }), 4);
    const first = await world.run(task);
    await world.settle();
    expect(await world.execution(first.id)).toMatchObject({ state: "succeeded" });
    world.source.addImage(APP, { layers: ["other"], tag: "v1" });
    world.target.failNext("putManifest", () => new RegistryError("transient", "mirror: 503", { status: 503 }), 1000);
    const second = await world.run(task);
    await world.settle();
    expect(await world.execution(second.id)).toMatchObject({ state: "failed", itemsFailed: 1 });
    const [item] = await world.ports.items.failed(second.id, 1);
    expect(item).toMatchObject({ attempts: 3, errorClass: "transient" });
  });

  it("waits by a delayed message when a budget says so, which is no attempt", async () => {
    const world = syncWorld();
    world.source.addImage(APP, { tag: "v1" });
    const task = await world.task("app", COPY_APP);
    const { id } = await world.run(task);
    const wait = 10 * MINUTE;
    world.source.failNext("manifest", () => new RegistryError("delayed", "hub asked to wait", { retryAfter: wait }), 5);
    await world.deliver();
    const [item] = await world.ports.items.list(id, { limit: 1 });
    expect(item).toMatchObject({ state: "pending", attempts: 0 });
    expect(item?.notBefore).toBeGreaterThanOrEqual(world.time.now + wait);
    // Waiting is no silence.
    world.time.now += 5 * MINUTE;
    const waiting = world.messages.length;
    await world.resume();
    expect(world.messages).toHaveLength(waiting);
    await world.settle();
    expect(await world.execution(id)).toMatchObject({ state: "succeeded" });
  });

  it("waits for one of several targets, which is no failure", async () => {
    const world = syncWorld();
    world.source.addImage(APP, { tag: "v1" });
    const targets = [{ registry: "mirror" }, { registry: "local", repository: `${world.namespace}/app` }];
    const { id } = await world.run(await world.task("app", { ...COPY_APP, targets }));
    const wait = 10 * MINUTE;
    world.target.failNext("putManifest", () => new RegistryError("delayed", "asked to wait", { retryAfter: wait }));
    await world.deliver();
    const [item] = await world.ports.items.list(id, { limit: 1 });
    expect(item).toMatchObject({ state: "pending", attempts: 0 });
    await world.settle();
    expect(await world.execution(id)).toMatchObject({ state: "succeeded", itemsCopied: 1 });
  });

  it("says on a dry run what it would delete", async () => {
    const world = syncWorld();
    for (const tag of ["v1", "v2", "v3"]) world.source.addImage(APP, { layers: [tag], tag });
    const task = await world.task("app", { ...COPY_APP, prune: { enabled: true, dryRun: false, maximumShare: 0.5 } });
    await world.run(task);
    await world.settle();
    world.source.stored.get(APP)?.tags.delete("v2");
    await world.run(task, { dryRun: true });
    await world.settle();
    expect(Object.keys(world.target.tagsOf(APP))).toHaveLength(3);
    expect(world.lines.map(({ message }) => message)).toContainEqual(expect.stringContaining("would delete v2"));
  });

  it("does nothing on a dry run but look", async () => {
    const world = syncWorld();
    world.source.addImage(APP, { tag: "v1" });
    const { id } = await world.run(await world.task("app", COPY_APP), { dryRun: true });
    await world.settle();
    expect(await world.execution(id)).toMatchObject({ state: "succeeded", itemsSkipped: 1 });
    expect(world.target.log("putManifest", "putBlob", "upload")).toEqual([]);
  });

  it("copies nothing on a dry run of what failed", async () => {
    const world = syncWorld();
    const layer = world.source.addBlob(APP, "lost");
    world.source.addImage(APP, { layers: [layer], tag: "bad" });
    world.source.stored.get(APP)?.blobs.delete(layer.digest);
    const task = await world.task("app", COPY_APP);
    const { id } = await world.run(task);
    await world.settle();
    world.source.addBlob(APP, "lost");
    const again = await world.run(task, { onlyFailedOf: id, dryRun: true });
    await world.settle();
    expect(await world.execution(again.id)).toMatchObject({ state: "succeeded", itemsTotal: 1, itemsSkipped: 1 });
    expect(world.target.tagsOf(APP)).toEqual({});
  });

  it("repeats all of a task in which two images had one name: only a whole plan says which has it", async () => {
    const world = syncWorld();
    for (const repository of ["a/app", "b/app"]) world.source.addImage(repository, { layers: [repository], tag: "v1" });
    const source = { registry: "hub", repositories: ["a/app", "b/app"] };
    const task = await world.task("app", { ...COPY_APP, source, targets: [{ registry: "mirror", repository: "app" }] });
    const first = await world.run(task);
    await world.settle();
    expect((await world.ports.items.failed(first.id, 10)).map(({ errorClass }) => errorClass)).toEqual(["collision"]);
    const again = await world.run(task, { onlyFailedOf: first.id });
    await world.settle();
    expect(await world.execution(again.id)).toMatchObject({ state: "partial", itemsUnchanged: 1, itemsFailed: 1 });
    expect(world.target.tagsOf("app")).toEqual(world.source.tagsOf("a/app"));
  });

  it("deletes at the target what is gone from the source, if the task wants it", async () => {
    const world = syncWorld();
    for (const tag of ["v1", "v2", "v3"]) world.source.addImage(APP, { layers: [tag], tag });
    const prune = { enabled: true, dryRun: false, maximumShare: 0.5 };
    const task = await world.task("app", { ...COPY_APP, prune });
    await world.run(task);
    await world.settle();
    world.source.stored.get(APP)?.tags.delete("v2");
    const { id } = await world.run(task);
    await world.settle();
    expect(Object.keys(world.target.tagsOf(APP)).sort()).toEqual(["v1", "v3"]);
    // And says so wherever runs are shown.
    const run = await world.execution(id);
    expect(run).toMatchObject({ state: "succeeded", itemsCopied: 0, itemsUnchanged: 2, tagsDeleted: 1 });
    expect(executionObject(run).status?.items).toMatchObject({ deleted: 1 });
    expect(viewExecution(run, 1)).toMatchObject({ state: "succeeded", deleted_tags: 1 });
    expect((await world.read("app")).status?.lastExecution).toMatchObject({ state: "succeeded", deleted: 1 });
    expect(world.lines.map(({ message }) => message)).toEqual(
      expect.arrayContaining(["deleted v2 of team/app at mirror", expect.stringContaining("1 deleted")]),
    );
  });

  it("copies what it saw of a list that broke off, says so, and deletes nothing", async () => {
    const world = syncWorld();
    for (let index = 0; index < 101; index += 1) world.source.addImage(APP, { tag: `v${index}` });
    world.source.brokenLists.add("tags");
    world.target.addImage(APP, { layers: ["x"], tag: "x" });
    const prune = { enabled: true, dryRun: false, maximumShare: 1 };
    const { id } = await world.run(await world.task("app", { ...COPY_APP, prune, concurrency: 50 }));
    await world.settle();
    const run = await world.execution(id);
    expect(run).toMatchObject({ state: "partial", itemsCopied: 100, itemsFailed: 1, tagsDeleted: 0 });
    expect(run.error).toContain("the list may not be whole");
    expect(world.target.tagsOf(APP)).toHaveProperty("x");
  });

  it("deletes nothing when the repositories cannot all be listed", async () => {
    const world = syncWorld();
    world.source.addImage(APP, { tag: "v1" });
    world.target.addImage(APP, { layers: ["x"], tag: "x" });
    const prune = { enabled: true, dryRun: false, maximumShare: 1 };
    const source = { registry: "hub", project: "team" };
    const task = await world.task("app", { ...COPY_APP, source, prune });
    const { id } = await world.run(task);
    // The plan had it whole.
    await world.deliver(2);
    world.source.brokenLists.add("repositories");
    await world.settle();
    expect(await world.execution(id)).toMatchObject({ state: "partial", itemsCopied: 1, tagsDeleted: 0 });
    expect(world.target.tagsOf(APP)).toHaveProperty("x");
  });

  it("can repeat a deletion that failed", async () => {
    const world = syncWorld();
    for (const tag of ["v1", "v2", "v3"]) world.source.addImage(APP, { layers: [tag], tag });
    const task = await world.task("app", { ...COPY_APP, prune: { enabled: true, dryRun: false, maximumShare: 0.5 } });
    await world.run(task);
    await world.settle();
    world.source.stored.get(APP)?.tags.delete("v2");
    world.target.failNext("deleteTag", () => new RegistryError("denied", "mirror: no", { status: 403 }));
    const { id } = await world.run(task);
    await world.settle();
    expect(await world.execution(id)).toMatchObject({ state: "partial", itemsFailed: 1 });
    const again = await world.run(task, { onlyFailedOf: id });
    await world.settle();
    expect(await world.execution(again.id)).toMatchObject({ state: "succeeded", itemsFailed: 0, tagsDeleted: 1 });
    expect(Object.keys(world.target.tagsOf(APP)).sort()).toEqual(["v1", "v3"]);
  });
});

describe("what a task says of its runs", () => {
  it("is not taken back by who is late to say that one began", async () => {
    const world = syncWorld();
    world.source.addImage(APP, { tag: "v1" });
    const task = await world.task("app", COPY_APP);
    const begun = await world.run(task);
    await world.settle();
    await showRun(task, begun, world.ports);
    expect((await world.read("app")).status?.lastExecution?.state).toBe("succeeded");
  });

  it("is made up for when nobody was left to say that one ended", async () => {
    const world = syncWorld();
    const task = await world.task("app", COPY_APP);
    const { id } = await world.run(task);
    await world.ports.executions.finish(id, "failed", "it broke");
    expect((await world.read("app")).status?.lastExecution?.state).toBe("pending");
    await world.tick();
    const { status } = await world.read("app");
    expect(status?.lastExecution).toMatchObject({ state: "failed", message: "it broke" });
    expect(status?.conditions).toContainEqual(expect.objectContaining({ type: "Running", status: "False" }));
  });

  it("goes with the task, the run that was going on included", async () => {
    const world = syncWorld();
    world.source.addImage(APP, { tag: "v1" });
    const { id } = await world.run(await world.task("app", COPY_APP));
    await world.ports.client().delete(SYNC_TASKS, { namespace: world.namespace, name: "app" });
    await world.settle();
    expect(await world.ports.executions.get(id)).toBeUndefined();
  });
});

describe("a run that calls more than a message may", () => {
  it("goes on in others, with what was found before", async () => {
    const world = syncWorld({ callLimits: { requests: 6000, queries: 50, bytes: 1e9 } });
    const tags = Array.from({ length: 18 }, (_, index) => `v${index}`);
    for (const tag of tags) world.source.addImage(APP, { tag });
    const targets = [{ registry: "local", repository: `${world.namespace}/app` }];
    const task = await world.task("app", { ...COPY_APP, targets, tags: { newest: { count: 18, by: "created" } } });
    for (const state of ["succeeded", "unchanged"]) {
      const { id } = await world.run(task);
      const steps = await world.deliver();
      expect(steps).toBeGreaterThan(2);
      await world.settle();
      expect(await world.execution(id)).toMatchObject({ state, itemsTotal: 18, itemsFailed: 0 });
    }
  });
});

describe("a run that is asked to stop", () => {
  it("ends as canceled, and begins nothing more", async () => {
    const world = syncWorld();
    for (const tag of ["v1", "v2", "v3", "v4"])
      world.source.addImage(APP, { layers: [patterned(64 * 1024, tag.length)], tag });
    const task = await world.task("app", { ...COPY_APP, concurrency: 1 });
    const { id } = await world.run(task);
    world.source.slow = 500;
    const copying = world.deliver();
    await expect.poll(() => world.source.count("blob"), { timeout: 60_000 }).toBeGreaterThan(0);
    expect(await world.control.stop(await world.execution(id))).toMatchObject({ stopRequested: true });
    await copying;
    await world.settle();
    // A layer and a config; nothing else was begun.
    expect(world.source.count("blob")).toBeLessThanOrEqual(2);
    const run = await world.execution(id);
    expect(run).toMatchObject({ state: "canceled", itemsCopied: 0 });
    expect(world.target.tagsOf(APP)).toEqual({});
    expect(await world.ports.items.counts(id)).toEqual({ canceled: 4 });
    expect(await world.control.stop(run)).toBeUndefined();
  });

  it("cannot be run a second time before that", async () => {
    const world = syncWorld();
    world.source.addImage(APP, { tag: "v1" });
    const task = await world.task("app", COPY_APP);
    const { id } = await world.run(task);
    const second = await world.control.run(task, { cause: "manual", actor: "bob" });
    expect(second).toMatchObject({ ok: false, error: { reason: "running", execution: { id } } });
    await world.settle();
  });
});

describe("a run whose messages are lost", () => {
  it.each(["before the plan", "after the plan"])("is gone on with: %s", async (when) => {
    const world = syncWorld();
    for (const tag of ["v1", "v2", "v3"]) world.source.addImage(APP, { layers: [tag], tag });
    const { id } = await world.run(await world.task("app", COPY_APP));
    if (when === "after the plan") await world.deliver(1);
    world.messages.length = 0;
    world.time.now += 3 * MINUTE;
    await world.resume();
    await world.settle();
    expect(await world.execution(id)).toMatchObject({ state: "succeeded", itemsTotal: 3, itemsCopied: 3 });
  });

  it("goes on in a large layer from where it was", async () => {
    const world = syncWorld();
    const large = patterned(33 * 1024 * 1024);
    world.source.pieceSize = 1024 * 1024;
    const { digest } = world.source.addBlob(APP, large);
    world.source.addImage(APP, { layers: [large], tag: "v1" });
    const { id } = await world.run(await world.task("app", COPY_APP));
    await world.deliver(1);
    // The isolate dies in the second part: nothing of it is heard again.
    let parts = 0;
    world.target.before = ({ operation }) => {
      parts += operation === "append" ? 1 : 0;
      if (parts === 2) throw new RegistryError("delayed", "dead", { retryAfter: 0 });
    };
    await world.deliver(1);
    world.target.before = undefined;
    world.messages.length = 0;
    world.time.now += 3 * MINUTE;
    await world.resume();
    world.source.calls.length = 0;
    await world.settle();
    expect(await world.execution(id)).toMatchObject({ state: "succeeded" });
    const read = world.source.calls.find((call) => call.operation === "blob" && call.reference === digest);
    expect(read?.bytes).toBe(16 * 1024 * 1024);
  });

  it("is given more time when its messages wait behind others, and is not given up while something is done", async () => {
    const world = syncWorld();
    for (const tag of ["v1", "v2"]) world.source.addImage(APP, { layers: [tag], tag });
    const { id } = await world.run(await world.task("app", { ...COPY_APP, concurrency: 1 }));
    for (let minute = 0; minute < 60; minute += 1) {
      world.time.now += MINUTE;
      await world.resume();
    }
    expect(world.messages.length).toBeLessThan(20);
    world.messages.splice(1);
    await world.deliver(1);
    await world.settle();
    expect(await world.execution(id)).toMatchObject({ state: "succeeded" });
  });

  it("is given up when it goes silent again and again", async () => {
    const world = syncWorld();
    const { id } = await world.run(await world.task("app", COPY_APP));
    for (let count = 0; count <= 20; count += 1) {
      world.messages.length = 0;
      world.time.now += 30 * MINUTE;
      await world.resume();
    }
    expect(await world.execution(id)).toMatchObject({ state: "failed", error: expect.stringContaining("silent") });
  });

  it("ends an item that failed every time with the dead letter, and goes on", async () => {
    const world = syncWorld();
    for (const tag of ["v1", "v2"]) world.source.addImage(APP, { layers: [tag], tag });
    const { id } = await world.run(await world.task("app", { ...COPY_APP, concurrency: 1 }));
    await world.deliver(1);
    const [dead] = world.messages.splice(0);
    await world.runner.giveUp(dead?.body);
    await world.settle();
    expect(await world.execution(id)).toMatchObject({ state: "partial", itemsCopied: 1, itemsFailed: 1 });
  });
});

describe("a dead letter that comes late", () => {
  it("does not end an item that another message copies by now", async () => {
    const world = syncWorld();
    world.source.addImage(APP, { tag: "v1" });
    const { id } = await world.run(await world.task("app", COPY_APP));
    await world.deliver(1);
    const [dead] = world.messages.splice(0);
    // Its lease ends, and the next message has the item.
    world.time.now += 3 * MINUTE;
    await world.resume();
    while (!world.messages.some(({ body }) => (body as { type: string }).type === "copy")) await world.deliver(1);
    await world.runner.giveUp(dead?.body);
    expect(await world.execution(id)).toMatchObject({ state: "running", itemsFailed: 0 });
    await world.settle();
    expect(await world.execution(id)).toMatchObject({ state: "succeeded", itemsCopied: 1, itemsFailed: 0 });
  });
});

describe("this registry itself", () => {
  it.each(["alias", "hub"])("is used only as the rules of the task say: not by other names, from %s", async (from) => {
    const world = syncWorld();
    world.source.addImage(APP, { tag: "v1" });
    const place = `${world.namespace}/app`;
    const inward = { ...COPY_APP, targets: [{ registry: "local", repository: place }] };
    await world.run(await world.task("in", inward));
    await world.settle();
    const task = await world.task("out", {
      source: { registry: from, repository: from === "hub" ? APP : place },
      targets: [{ registry: from === "hub" ? "alias" : "mirror", repository: `${world.namespace}/out` }],
    });
    const { id } = await world.run(task);
    await world.settle();
    const run = await world.execution(id);
    expect(run).toMatchObject({
      state: "failed",
      error: expect.stringContaining(`in the namespace ${world.namespace}`),
    });
    expect(world.target.tagsOf(`${world.namespace}/out`)).toEqual({});
  });

  it("is a target and a source", async () => {
    const world = syncWorld();
    const index = world.source.addPlatforms(APP, "v1", ["linux/amd64", "linux/arm64"]);
    world.source.addImage(APP, { layers: [patterned(40 * 1024 * 1024)], tag: "large" });
    world.source.pieceSize = 1024 * 1024;
    const inward = await world.task("in", {
      ...COPY_APP,
      targets: [{ registry: "local", repository: `${world.namespace}/app` }],
    });
    const { id } = await world.run(inward);
    await world.settle();
    expect(await world.execution(id)).toMatchObject({ state: "succeeded", itemsCopied: 2 });
    const outward = await world.task("out", {
      source: { registry: "local", project: world.namespace },
      targets: [
        { registry: "mirror", repository: "back/{{ .Base }}" },
        { registry: "local", repository: `${world.namespace}-2/app` },
      ],
    });
    const back = await world.run(outward);
    await world.settle();
    expect(await world.execution(back.id)).toMatchObject({ state: "succeeded", itemsCopied: 2 });
    expect(world.target.tagsOf("back/app")).toEqual(world.source.tagsOf(APP));
    expect(world.target.tagsOf("back/app")["v1"]).toBe(index.digest);
    const unchanged = await world.run(outward);
    await world.settle();
    expect(await world.execution(unchanged.id)).toMatchObject({ state: "unchanged" });
  });
});
