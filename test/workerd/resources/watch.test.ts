import { abortAllDurableObjects, evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import type { ResourceObject } from "../../../src/resources/index.ts";
import { ResourceStore } from "../../../src/resources/storage/resource-store.ts";
import { bindings } from "../bindings.ts";
import { type ExampleTasks, exampleTasks, listQuery, namesOf, requestContext, until, watching } from "./fixture.ts";

const context = requestContext();
const withCount = (count: number) => (current: ResourceObject) => ({ ...current, spec: { count } });
const labelled = (labels: Record<string, string>) => (current: ResourceObject) => ({
  ...current,
  metadata: { ...current.metadata, labels },
});

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});

function watchTasks({ tasks }: Pick<ExampleTasks, "tasks">, ...given: [string | number, object?]) {
  const watched = watching(tasks, ...given);
  running.push(watched);
  return watched;
}

function hubOf({ group }: ExampleTasks): DurableObjectStub {
  return bindings.WATCH_HUBS.get(bindings.WATCH_HUBS.idFromName(`${group}/tasks`));
}

/** Each version once, in order. */
function expectInOrder(versions: readonly string[], written: readonly string[]) {
  expect(versions.map(Number)).toEqual(written.map(Number).sort((a, b) => a - b));
}

/** Writes `count` times, four at a time, to several objects. Resolves to the versions written. */
async function writeMany(tasks: ExampleTasks, prefix: string, count: number): Promise<string[]> {
  const versions: string[] = [];
  const writer = async (which: number) => {
    const name = `${prefix}-${which}`;
    versions.push((await tasks.create(name)).metadata.resourceVersion);
    for (let written = 1; written < count / 4; written += 1)
      versions.push((await tasks.edit(name, withCount(written))).metadata.resourceVersion);
  };
  await Promise.all([0, 1, 2, 3].map(writer));
  await tasks.settle();
  return versions;
}

describe("a watch after a list", () => {
  it("has what was written in between, and between the pages", async () => {
    const tasks = await exampleTasks();
    for (const name of ["a", "b", "c"]) await tasks.create(name);
    const page = await tasks.tasks.list(context, listQuery({ limit: 2 }));
    await tasks.edit("a", withCount(1));
    await tasks.remove("b");
    const rest = await tasks.tasks.list(context, listQuery({ limit: 2, continue: page.continue ?? "" }));
    expect([...namesOf(page), ...namesOf(rest)]).toEqual(["a", "b", "c"]);
    expect(rest.resourceVersion).toBe(page.resourceVersion);
    await tasks.create("d");
    const watched = watchTasks(tasks, rest.resourceVersion);
    await until(() => watched.events().length === 3);
    await tasks.create("e");
    await until(() => watched.events().length === 4);
    expect(watched.seen()).toEqual(["MODIFIED a", "DELETED b", "ADDED d", "ADDED e"]);
  });

  it("from nothing begins with what there is", async () => {
    const tasks = await exampleTasks();
    for (const name of ["a", "b"]) await tasks.create(name);
    const watched = watchTasks(tasks, 0);
    await until(() => watched.bookmark() !== undefined);
    expect(watched.frames.map(({ type }) => type).slice(0, 3)).toEqual(["ADDED", "ADDED", "BOOKMARK"]);
    await tasks.remove("a");
    await until(() => watched.events().length === 3);
    expect(watched.seen()[2]).toBe("DELETED a");
  });

  it("from a version that is not there yet has to begin anew", async () => {
    const tasks = await exampleTasks();
    await tasks.create("a");
    const watched = watchTasks(tasks, 1_000_000_000);
    await until(() => watched.failure() !== undefined);
    expect(watched.failure()).toMatchObject({ reason: "Expired" });
  });
});

describe("selectors", () => {
  it("let objects appear and disappear as they come to match", async () => {
    const tasks = await exampleTasks();
    const { resourceVersion } = (await tasks.create("x", { spec: { source: "here" } })).metadata;
    const byLabel = watchTasks(tasks, resourceVersion, { labels: "on=yes" });
    const byField = watchTasks(tasks, resourceVersion, { fields: "spec.source=here" });
    const elsewhere = watchTasks(tasks, resourceVersion, { namespace: "team-b" });
    await tasks.edit("x", labelled({ on: "yes" }));
    await tasks.edit("x", labelled({ on: "yes", more: "1" }));
    await tasks.edit("x", (current) => ({ ...labelled({})(current), spec: { source: "there" } }));
    await tasks.edit("x", labelled({ on: "yes" }));
    const gone = await tasks.remove("x");
    const all = watchTasks(tasks, resourceVersion);
    await until(() => all.events().length === 5 && byLabel.events().length === 5 && byField.events().length === 3);
    expect(byLabel.seen()).toEqual(["ADDED x", "MODIFIED x", "DELETED x", "ADDED x", "DELETED x"]);
    expect(byField.seen()).toEqual(["MODIFIED x", "MODIFIED x", "DELETED x"]);
    expect(elsewhere.seen()).toEqual([]);
    // It goes as it last matched, at the version at which it did no more.
    const left = byField.frames.findLast((frame) => frame.type === "DELETED");
    expect(left).toMatchObject({ object: { spec: { source: "here" } } });
    expect(all.events().at(-1)?.rv).toBe(gone.object.metadata.resourceVersion);
  });
});

describe("a watcher sees each change once, in order", () => {
  it("while many write", async () => {
    const tasks = await exampleTasks();
    const before = (await tasks.create("first")).metadata.resourceVersion;
    const watchers = [watchTasks(tasks, before), watchTasks(tasks, before)];
    const written = await writeMany(tasks, "w", 120);
    for (const watched of watchers) {
      await until(() => watched.events().length >= written.length);
      expectInOrder(
        watched.events().map(({ rv }) => rv),
        written,
      );
    }
  });

  it.each([
    ["is killed", () => abortAllDurableObjects()],
    ["is evicted", (tasks: ExampleTasks) => evictDurableObject(hubOf(tasks))],
    [
      "is evicted and its sockets are closed",
      (tasks: ExampleTasks) => evictDurableObject(hubOf(tasks), { webSockets: "close" }),
    ],
  ])("when the hub %s", async (_, kill) => {
    const tasks = await exampleTasks();
    const before = (await tasks.create("first")).metadata.resourceVersion;
    const watched = watchTasks(tasks, before);
    const written = await writeMany(tasks, "before", 40);
    await until(() => watched.events().length > 0);
    const killed = Promise.all([writeMany(tasks, "during", 40), kill(tasks)]);
    written.push(...(await killed)[0]);
    await kill(tasks);
    written.push(...(await writeMany(tasks, "after", 40)));
    await until(() => watched.events().length >= written.length);
    expectInOrder(
      watched.events().map(({ rv }) => rv),
      written,
    );
  });

  it("when pokes are lost: the hub's alarm finds what was written", async () => {
    const tasks = await exampleTasks({ losesPokes: true });
    const watched = watchTasks(tasks, (await tasks.create("first")).metadata.resourceVersion);
    await until(() => watched.bookmark() !== undefined);
    await tasks.create("second");
    expect(await runDurableObjectAlarm(hubOf(tasks))).toBe(true);
    await until(() => watched.events().length === 1);
    // A hub that slept does not know what was told before.
    await evictDurableObject(hubOf(tasks));
    await tasks.create("third");
    expect(await runDurableObjectAlarm(hubOf(tasks))).toBe(true);
    await until(() => watched.events().length === 2);
    expect(watched.seen()).toEqual(["ADDED second", "ADDED third"]);
  });

  it("when there is no hub at all", async () => {
    const unreachable = {
      idFromName: () => "id",
      get: () => ({
        fetch: () => Promise.reject(new Error("no hub")),
        poke: () => Promise.reject(new Error("no hub")),
      }),
    };
    const tasks = await exampleTasks({ hubs: unreachable as unknown as DurableObjectNamespace });
    const watched = watchTasks(tasks, (await tasks.create("first")).metadata.resourceVersion);
    await tasks.create("second");
    await until(() => watched.events().length === 1);
  });

  it("also if changes are too large for a message", async () => {
    const tasks = await exampleTasks();
    const watched = watchTasks(tasks, (await tasks.create("first")).metadata.resourceVersion);
    await until(() => watched.bookmark() !== undefined);
    const source = "x".repeat(700_000);
    for (let index = 0; index < 8; index += 1) await tasks.create(`large-${index}`, { spec: { source } });
    await tasks.settle();
    await until(() => watched.events().length === 8);
    expect(watched.seen()).toEqual(Array.from({ length: 8 }, (_, index) => `ADDED large-${index}`));
  });
});

describe("the change log", () => {
  it("is read by a bound of bytes, and at least one change at a time", async () => {
    const { group, create } = await exampleTasks();
    const store = new ResourceStore(bindings.DB, Date.now);
    // Two bytes each.
    const spec = { source: "é".repeat(450_000) };
    const before = await store.lastVersion();
    for (const name of ["a", "b", "c", "d", "e", "f", "g"]) await create(name, { spec });
    const read: string[][] = [];
    for (let after = before, more = true; more;) {
      const changes = await store.changes({ group, plural: "tasks" }, after, 100);
      read.push(changes.events.map(({ name }) => name));
      ({ upTo: after, more } = changes);
    }
    expect(read).toEqual([
      ["a", "b", "c", "d", "e"],
      ["f", "g"],
    ]);
  });
});

describe("bookmarks", () => {
  it("move on with the changes of other kinds, so that a quiet watch can be resumed", async () => {
    const tasks = await exampleTasks();
    const watched = watchTasks(tasks, (await tasks.create("first")).metadata.resourceVersion);
    await until(() => watched.bookmark() !== undefined);
    const other = await tasks.areas.create(context, undefined, {
      apiVersion: "",
      kind: "Area",
      metadata: { name: "x" },
    });
    await runDurableObjectAlarm(hubOf(tasks));
    await until(() => watched.bookmark() === other.metadata.resourceVersion);
    expect(watched.events()).toEqual([]);
  });
});
