import { describe, expect, it } from "vitest";
import type { Database } from "../../../src/platform/index.ts";
import type { HooksFactory, ResourceObject, StorageHooks } from "../../../src/resources/index.ts";
import { bindings } from "../bindings.ts";
import {
  edit,
  exampleGroup,
  listQuery,
  NAMESPACE,
  newGroup,
  type PlatformOptions,
  requestContext,
  resourcePlatform,
  task,
} from "./fixture.ts";

const REMOVE = { propagationPolicy: "Background" } as const;

/** Tasks with hooks, and what those note. */
async function hookedTasks(hooks: HooksFactory, options: PlatformOptions = {}) {
  const group = newGroup();
  const example = exampleGroup(group);
  const kinds = example.kinds.map((kind) => (kind.declaration.kind === "Task" ? { ...kind, hooks } : kind));
  return resourcePlatform({ ...options, groups: [{ ...example, kinds }] }).storage(group, "tasks");
}

/** Hooks that note when they are called. */
function noting(calls: string[]): StorageHooks {
  const finish = async (outcome: string) => void calls.push(`finish ${outcome}`);
  return {
    begin: ({ verb, ref }) => void calls.push(`begin ${verb} ${ref?.name ?? "-"}`),
    async beginCreate({ ref, sent }) {
      calls.push(`beginCreate ${ref.name}`);
      return { object: sent, finish };
    },
    async beginUpdate({ sent, previous }) {
      calls.push(`beginUpdate of ${previous.metadata.generation}`);
      return { object: sent, finish };
    },
    async beginDelete({ previous }) {
      calls.push(`beginDelete ${previous.metadata.name}`);
    },
    afterCreate(object) {
      calls.push("afterCreate");
      return object;
    },
    afterUpdate(object, { subresource = "spec" }) {
      calls.push(`afterUpdate ${subresource}`);
      return object;
    },
    afterDelete: (_object, { gone }) => void calls.push(`afterDelete ${gone ? "gone" : "held"}`),
  };
}

const counted = (count: number) => (current: ResourceObject) => ({ ...current, spec: { count } });

describe("hooks of a kind", () => {
  it("are called in order, before and after the write", async () => {
    const calls: string[] = [];
    const tasks = await hookedTasks(() => noting(calls));
    const context = requestContext();
    await tasks.create(context, NAMESPACE, task("one"));
    expect(calls.splice(0)).toEqual(["begin create one", "beginCreate one", "finish written", "afterCreate"]);
    await edit(tasks, "one", counted(2));
    const update = ["begin update one", "beginUpdate of 1", "finish written", "afterUpdate spec"];
    expect(calls.splice(0)).toEqual(update);
    await edit(tasks, "one", (current) => ({ ...current, status: { phase: "Done" } }), { subresource: "status" });
    expect(calls.splice(0).at(-1)).toBe("afterUpdate status");
    await tasks.delete(context, { namespace: NAMESPACE, name: "one" }, REMOVE);
    expect(calls.splice(0)).toEqual(["begin delete one", "beginDelete one", "afterDelete gone"]);
  });

  it("take an update that creates for a creation, and one that changes nothing for an update", async () => {
    const calls: string[] = [];
    const tasks = await hookedTasks(() => noting(calls));
    const write = () =>
      tasks.update(requestContext(), { namespace: NAMESPACE, name: "new" }, () => task("new"), { allowCreate: true });
    expect(await write()).toMatchObject({ created: true });
    expect(calls.splice(0)).toEqual(["begin update new", "beginCreate new", "finish written", "afterCreate"]);
    expect(await write()).toMatchObject({ created: false, object: { metadata: { generation: 1 } } });
    expect(calls.splice(0)).toEqual(["begin update new", "beginUpdate of 1", "finish written", "afterUpdate spec"]);
  });

  it("are told that a dry run and a refused write were dropped, and nothing after it", async () => {
    const calls: string[] = [];
    const tasks = await hookedTasks(() => noting(calls));
    await tasks.create(requestContext({ dryRun: true }), NAMESPACE, task("dry"));
    expect(calls.splice(0)).toEqual(["begin create dry", "beginCreate dry", "finish dropped"]);
    const wrong = task("wrong", { spec: { count: "many" } });
    await expect(tasks.create(requestContext(), NAMESPACE, wrong)).rejects.toMatchObject({ reason: "Invalid" });
    expect(calls.splice(0)).toEqual(["begin create wrong", "beginCreate wrong", "finish dropped"]);
    const unnamed = task("Not A Name");
    await expect(tasks.create(requestContext(), NAMESPACE, unnamed)).rejects.toMatchObject({ reason: "Invalid" });
    expect(calls.splice(0)).toEqual(["begin create Not A Name"]);
    await tasks.create(requestContext(), NAMESPACE, task("stale"));
    calls.length = 0;
    const stale = edit(tasks, "stale", ({ metadata }) =>
      task("stale", { metadata: { ...metadata, resourceVersion: "1" } }),
    );
    await expect(stale).rejects.toMatchObject({ reason: "Conflict" });
    expect(calls.splice(0)).toEqual(["begin update stale"]);
    await tasks.delete(requestContext({ dryRun: true }), { namespace: NAMESPACE, name: "stale" }, REMOVE);
    expect(calls.splice(0)).toEqual(["begin delete stale", "beginDelete stale"]);
  });

  it("begin anew when another write came first, and run once after it", async () => {
    const calls: string[] = [];
    const tasks = await hookedTasks((general) => {
      let overtaken = false;
      const hooks = noting(calls);
      return {
        ...hooks,
        async beginUpdate(write) {
          const begun = await hooks.beginUpdate?.(write);
          if (!overtaken) await edit(general, "busy", counted(5));
          overtaken = true;
          return begun ?? { object: write.sent };
        },
      };
    });
    await tasks.create(requestContext(), NAMESPACE, task("busy"));
    calls.length = 0;
    const add = ({ spec, ...current }: ResourceObject) => ({
      ...current,
      spec: { count: (spec as { count: number }).count + 1 },
    });
    expect((await edit(tasks, "busy", add)).spec).toEqual({ count: 6 });
    const again = ["beginUpdate of 1", "finish dropped", "beginUpdate of 2", "finish written"];
    expect(calls).toEqual(["begin update busy", ...again, "afterUpdate spec"]);
  });

  it("are told when nobody knows whether a write was written", async () => {
    const calls: string[] = [];
    let isLost = false;
    const database: Database = {
      prepare: (query) => bindings.DB.prepare(query),
      batch: (statements) => (isLost ? Promise.reject(new Error("no answer")) : bindings.DB.batch(statements)),
    };
    const tasks = await hookedTasks(() => noting(calls), { database });
    isLost = true;
    await expect(tasks.create(requestContext(), NAMESPACE, task("lost"))).rejects.toThrow("no answer");
    expect(calls).toEqual(["begin create lost", "beginCreate lost", "finish unknown"]);
  });

  it("see an object go when it is let go of, in a collection, and not when finalizers hold it", async () => {
    const calls: string[] = [];
    const tasks = await hookedTasks(() => noting(calls));
    const context = requestContext();
    await tasks.create(context, NAMESPACE, task("held", { metadata: { finalizers: ["example.dev/hold"] } }));
    await tasks.create(context, NAMESPACE, task("loose"));
    calls.length = 0;
    await tasks.deleteCollection(context, listQuery({ namespace: NAMESPACE }), REMOVE);
    const each = ["beginDelete held", "afterDelete held", "beginDelete loose", "afterDelete gone"];
    expect(calls.splice(0)).toEqual(["begin deleteCollection -", ...each]);
    await edit(tasks, "held", ({ metadata: { finalizers: _gone, ...metadata }, ...rest }) => ({ ...rest, metadata }));
    expect(calls.at(-1)).toBe("afterDelete gone");
  });

  it("are called when an earlier version is restored", async () => {
    const calls: string[] = [];
    const tasks = await hookedTasks(() => noting(calls));
    const context = requestContext();
    const { metadata } = await tasks.create(context, NAMESPACE, task("undone", { spec: { count: 1 } }));
    await edit(tasks, "undone", counted(2));
    calls.length = 0;
    const restored = await tasks.restore(
      context,
      { namespace: NAMESPACE, name: "undone" },
      Number(metadata.resourceVersion),
    );
    expect(restored.spec).toEqual({ count: 1 });
    expect(calls).toEqual(["begin restore undone", "beginUpdate of 2", "finish written", "afterUpdate spec"]);
  });

  it("give the answer, and refuse by throwing", async () => {
    const tasks = await hookedTasks(() => ({
      afterCreate: (object) => ({ ...object, status: { phase: "Seen" } }),
      begin({ verb, ref }) {
        if (verb === "delete" && ref?.name === "kept") throw new Error("it stays");
      },
    }));
    const created = await tasks.create(requestContext(), NAMESPACE, task("kept"));
    expect(created.status).toEqual({ phase: "Seen" });
    expect((await tasks.get(requestContext(), { namespace: NAMESPACE, name: "kept" })).status).toBeUndefined();
    await expect(tasks.delete(requestContext(), { namespace: NAMESPACE, name: "kept" }, REMOVE)).rejects.toThrow(
      "it stays",
    );
  });

  it("take verbs away, and with creating that of an update", async () => {
    const tasks = await hookedTasks(() => ({ refuse: ["create", "restore", "deleteCollection"] }));
    expect(Object.keys(tasks).toSorted()).toEqual(["delete", "get", "list", "update", "watch"]);
    const write = tasks.update(requestContext(), { namespace: NAMESPACE, name: "new" }, () => task("new"), {
      allowCreate: true,
    });
    await expect(write).rejects.toMatchObject({ reason: "NotFound" });
  });

  it("decorate what is shown, and nothing that is stored", async () => {
    let general: Parameters<HooksFactory>[0] | undefined;
    const tasks = await hookedTasks((stored) => {
      general = stored;
      const show = (phase: string) => (object: ResourceObject) => ({ ...object, status: { phase } });
      return { decorate: (purpose) => (purpose === "past" ? undefined : (objects) => objects.map(show(purpose))) };
    });
    const context = requestContext();
    const phases: unknown[] = [(await tasks.create(context, NAMESPACE, task("one"))).status];
    phases.push((await tasks.get(context, { namespace: NAMESPACE, name: "one" })).status);
    phases.push((await tasks.list(context, listQuery())).items[0]?.status);
    const seen: unknown[] = [];
    const change = (current: ResourceObject) => {
      seen.push(current.status);
      return { ...current, spec: { count: 3 } };
    };
    phases.push((await edit(tasks, "one", change)).status);
    expect(seen).toEqual([{ phase: "change" }]);
    const end = new AbortController();
    const watched = tasks.watch(context, { ...listQuery(), since: 0, signal: end.signal });
    for await (const frame of watched) {
      if ("object" in frame) phases.push(frame.object.status);
      break;
    }
    end.abort();
    expect((await general?.get(context, { namespace: NAMESPACE, name: "one" }))?.status).toBeUndefined();
    expect((await tasks.list(context, listQuery({ source: "history" }))).items[0]?.status).toBeUndefined();
    phases.push((await tasks.delete(context, { namespace: NAMESPACE, name: "one" }, REMOVE)).object.status);
    expect(phases).toEqual(["create", "get", "list", "update", "watch", "delete"].map((phase) => ({ phase })));
  });
});
