import { describe, expect, it } from "vitest";
import type { ResourceObject } from "../../../src/resources/index.ts";
import { isRestorer } from "../../../src/resources/storage/storage.ts";
import { bindings } from "../bindings.ts";
import { secretPlatform } from "../secret-fixture.ts";
import {
  type ExampleTasks,
  exampleTasks,
  listQuery,
  namesOf,
  NAMESPACE,
  requestContext,
  until,
  watching,
} from "./fixture.ts";

const context = requestContext();
const HOUR = 3_600_000;

const counts = (items: readonly ResourceObject[]) => items.map(({ spec }) => (spec as { count: number }).count);
const withCount = (count: number) => (current: ResourceObject) => ({ ...current, spec: { count } });

function history({ tasks }: ExampleTasks, name: string, given: object = {}) {
  return tasks.list(context, listQuery({ source: "history", fields: `metadata.name=${name}`, ...given }));
}

describe("history", () => {
  it("has each version, newest first, page by page", async () => {
    const tasks = await exampleTasks();
    await tasks.create("old");
    await tasks.create("other");
    for (const count of [1, 2, 3]) await tasks.edit("old", withCount(count));
    expect(counts((await history(tasks, "old")).items)).toEqual([3, 2, 1, 0]);
    const page = await history(tasks, "old", { limit: 3 });
    expect(counts(page.items)).toEqual([3, 2, 1]);
    const rest = await history(tasks, "old", { limit: 3, continue: page.continue });
    expect(counts(rest.items)).toEqual([0]);
    expect(rest.continue).toBeUndefined();
  });

  it("cannot be deleted as if it were the present", async () => {
    const tasks = await exampleTasks();
    await tasks.create("kept");
    const query = listQuery({ source: "history" });
    await expect(
      tasks.tasks.deleteCollection(context, query, { propagationPolicy: "Background" }),
    ).rejects.toMatchObject({ reason: "BadRequest" });
    expect(await tasks.names()).toEqual(["kept"]);
  });
});

describe("undo", () => {
  it("brings back an earlier version, and nothing of the present but its identity", async () => {
    const tasks = await exampleTasks();
    const first = await tasks.create("undone", { spec: { source: "a", count: 1 }, metadata: { labels: { a: "1" } } });
    await tasks.edit("undone", (current) => ({
      ...current,
      spec: { count: 2 },
      metadata: { ...current.metadata, labels: { b: "2" }, finalizers: ["example.dev/hold"] },
    }));
    const restored = await tasks.tasks.restore(
      context,
      { namespace: NAMESPACE, name: "undone" },
      Number(first.metadata.resourceVersion),
    );
    expect(restored).toMatchObject({ spec: { source: "a", count: 1 }, metadata: { uid: first.metadata.uid } });
    expect(restored.metadata.labels).toEqual({ a: "1" });
    expect(restored.metadata.finalizers).toEqual(["example.dev/hold"]);
    expect(restored.metadata.generation).toBe(3);
    const none = tasks.tasks.restore(context, { namespace: NAMESPACE, name: "undone" }, 1_000_000);
    await expect(none).rejects.toMatchObject({ reason: "NotFound" });
  });

  it("brings back what was deleted, from the trash", async () => {
    const tasks = await exampleTasks();
    const owner = await tasks.create("owner");
    const { apiVersion, kind, metadata } = owner;
    const reference = { apiVersion, kind, name: metadata.name, uid: metadata.uid };
    const lost = await tasks.create("lost", { spec: { count: 7 }, metadata: { ownerReferences: [reference] } });
    await tasks.create("recreated");
    for (const name of ["owner", "lost", "recreated"]) await tasks.remove(name);
    await tasks.create("recreated");
    const trash = await tasks.tasks.list(context, listQuery({ source: "trash" }));
    expect(namesOf(trash)).toEqual(["lost", "owner"]);
    const version = Number(trash.items[0]?.metadata.resourceVersion);
    const restored = await tasks.tasks.restore(context, { namespace: NAMESPACE, name: "lost" }, version);
    expect(restored).toMatchObject({ spec: { count: 7 }, metadata: { name: "lost", generation: 1 } });
    expect(restored.metadata.uid).not.toBe(lost.metadata.uid);
    for (const field of ["deletionTimestamp", "ownerReferences"]) expect(restored.metadata).not.toHaveProperty(field);
    // Its owner is gone: the sweep must not take it again.
    await tasks.resources.maintenance.run({ type: "sweep-dependents" });
    await tasks.settle();
    expect(await tasks.names()).toEqual(["lost", "recreated"]);
    expect(namesOf(await tasks.tasks.list(context, listQuery({ source: "trash" })))).toEqual(["owner"]);
  });

  it("is not for secrets, whose values are elsewhere", async () => {
    const secrets = secretPlatform();
    expect(isRestorer(await secrets.storage("securevalues"))).toBe(false);
    expect(isRestorer((await exampleTasks()).tasks)).toBe(true);
  });
});

describe("compaction", () => {
  it("keeps twenty versions of each object, and what watches need", async () => {
    let now = Date.now();
    const tasks = await exampleTasks({ clock: () => now });
    const first = await tasks.create("busy");
    for (let count = 1; count <= 30; count += 1) await tasks.edit("busy", withCount(count));
    await tasks.create("quiet");
    now += 2 * HOUR;
    for (let count = 31; count <= 60; count += 1) await tasks.edit("busy", withCount(count));
    const compact = () => tasks.resources.maintenance.run({ type: "compact-changes" });
    await compact();
    // 30 of the last hour, and the one that the first of them changed.
    expect((await history(tasks, "busy")).items).toHaveLength(31);
    const tooOld = watching(tasks.tasks, first.metadata.resourceVersion);
    await until(() => tooOld.failure() !== undefined);
    expect(tooOld.failure()).toMatchObject({ reason: "Expired", code: 410 });
    now += 2 * HOUR;
    await compact();
    expect((await history(tasks, "busy")).items).toHaveLength(20);
    expect((await history(tasks, "quiet")).items).toHaveLength(1);
    const floor = await bindings.DB.prepare("SELECT value FROM instance WHERE name = 'resource-events-floor'").first();
    expect(Number(floor?.["value"])).toBeGreaterThan(60);
    expect(await tasks.names()).toEqual(["busy", "quiet"]);
  });
});
