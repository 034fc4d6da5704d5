import { describe, expect, it } from "vitest";
import { restOf } from "../../../src/resources/storage/delete-collection.ts";
import { type ResourceObject, type ResourceStep, resourceStepSchema } from "../../../src/resources/index.ts";
import { bindings } from "../bindings.ts";
import { countingDatabase, exampleTasks, listQuery, namesOf, NAMESPACE, requestContext } from "./fixture.ts";

const context = requestContext();

async function numbered(count: number, options: Parameters<typeof exampleTasks>[0] = {}) {
  const tasks = await exampleTasks(options);
  for (let index = 0; index < count; index += 1) {
    const labels = { parity: index % 2 === 0 ? "even" : "odd" };
    await tasks.create(`t-${String(index).padStart(4, "0")}`, {
      spec: { source: `s${index % 3}` },
      metadata: { labels },
    });
  }
  return tasks;
}

describe("a list", () => {
  it("comes in pages, each with where to go on and how many are left", async () => {
    const { tasks } = await numbered(10);
    const first = await tasks.list(context, listQuery({ limit: 4 }));
    expect(namesOf(first)).toEqual(["t-0000", "t-0001", "t-0002", "t-0003"]);
    expect(first.remainingItemCount).toBe(6);
    const second = await tasks.list(context, listQuery({ limit: 4, ...goOn(first.continue) }));
    expect(second.remainingItemCount).toBe(2);
    const third = await tasks.list(context, listQuery({ limit: 4, ...goOn(second.continue) }));
    expect(namesOf(third)).toEqual(["t-0008", "t-0009"]);
    expect(third.continue).toBeUndefined();
    expect(third.remainingItemCount).toBeUndefined();
    const broken = listQuery({ continue: "nonsense" });
    await expect(tasks.list(context, broken)).rejects.toMatchObject({ reason: "BadRequest" });
  });

  it("goes by namespace and name", async () => {
    const { tasks, create } = await exampleTasks();
    await create("b");
    await tasks.create(context, "team-b", { apiVersion: "", kind: "Task", metadata: { name: "a" } });
    await tasks.create(context, "default", { apiVersion: "", kind: "Task", metadata: { name: "c" } });
    expect(namesOf(await tasks.list(context, listQuery()))).toEqual(["c", "b", "a"]);
    expect(namesOf(await tasks.list(context, listQuery({ namespace: NAMESPACE })))).toEqual(["b"]);
    const page = await tasks.list(context, listQuery({ limit: 2 }));
    expect(namesOf(await tasks.list(context, listQuery({ limit: 2, ...goOn(page.continue) })))).toEqual(["a"]);
  });

  it.each([
    ["parity=even", "", ["t-0000", "t-0002", "t-0004"]],
    ["parity!=even", "", ["t-0001", "t-0003", "t-0005"]],
    ["parity in (odd,none)", "spec.source=s0", ["t-0003"]],
    ["parity", "metadata.name=t-0002", ["t-0002"]],
    ["!parity", "", []],
    ["", "spec.source!=s0", ["t-0001", "t-0002", "t-0004", "t-0005"]],
    ["", "metadata.namespace=elsewhere", []],
  ])("has what the selectors %j and %j select", async (labels, fields, names) => {
    const { tasks } = await numbered(6);
    const page = await tasks.list(context, listQuery({ labels, fields }));
    expect(namesOf(page)).toEqual(names);
    const part = await tasks.list(context, listQuery({ labels, fields, limit: 1 }));
    expect(part.remainingItemCount).toBeUndefined();
    expect(part.continue !== undefined).toBe(names.length > 1);
  });

  it("is of a version that is asked for", async () => {
    const { tasks } = await numbered(1);
    const now = (await tasks.list(context, listQuery())).resourceVersion;
    const of = (resourceVersion: string, resourceVersionMatch?: "Exact") =>
      tasks.list(
        context,
        listQuery({ resourceVersion, ...(resourceVersionMatch === undefined ? {} : { resourceVersionMatch }) }),
      );
    expect((await of("0")).resourceVersion).toBe(now);
    expect((await of(now, "Exact")).resourceVersion).toBe(now);
    await expect(of(String(Number(now) - 1), "Exact")).rejects.toMatchObject({ reason: "Expired" });
    await expect(of(String(Number(now) + 1))).rejects.toMatchObject({
      reason: "Timeout",
      details: { retryAfterSeconds: 1 },
    });
  });

  it("of five hundred is one batch", async () => {
    const { database, counted } = countingDatabase();
    const { tasks, group } = await exampleTasks({ database });
    const object = JSON.stringify({ apiVersion: `${group}/v1`, kind: "Task", metadata: { uid: "" }, spec: {} });
    await bindings.DB.prepare(
      `INSERT INTO resources (api_group, resource, namespace, name, uid, rv, object)
       SELECT ?1, 'tasks', 'team-a', printf('t-%04d', value), ?1 || value, value + 1,
              json_set(?2, '$.metadata.name', printf('t-%04d', value), '$.metadata.namespace', 'team-a')
       FROM json_each(?3)`,
    )
      .bind(group, object, JSON.stringify(Array.from({ length: 1200 }, (_, index) => index)))
      .run();
    const page = await tasks.list(context, listQuery({ limit: 500 }));
    expect(counted).toEqual({ batches: 1, statements: 0 });
    expect(page.items).toHaveLength(500);
    expect(page.remainingItemCount).toBe(700);
    const seen = new Set(namesOf(page));
    for (let next = page.continue; next !== undefined;) {
      const more = await tasks.list(context, listQuery({ limit: 500, continue: next }));
      for (const name of namesOf(more)) seen.add(name);
      next = more.continue;
    }
    expect(seen.size).toBe(1200);
  });

  it("is deleted as a whole, by the same selectors", async () => {
    const { tasks, names } = await numbered(6);
    const options = { propagationPolicy: "Background" } as const;
    const query = listQuery({ labels: "parity=even", limit: 2 });
    const tried = await tasks.deleteCollection(requestContext({ dryRun: true }), query, options);
    expect(tried.items).toHaveLength(3);
    const deleted = await tasks.deleteCollection(context, query, options);
    expect(deleted.items.map((item: ResourceObject) => item.metadata.name)).toEqual(["t-0000", "t-0002", "t-0004"]);
    expect(await names()).toEqual(["t-0001", "t-0003", "t-0005"]);
  });
});

describe("a collection that is more than a request deletes", () => {
  const options = { propagationPolicy: "Background" } as const;

  it("goes a hundred at a time, and what was made after the request stays", async () => {
    const now = Date.UTC(2026, 0, 1);
    const { tasks, names, create, group, resources } = await numbered(230, { clock: () => now });
    const kind = { group, plural: "tasks" };
    const query = listQuery();
    const first = await tasks.deleteCollection(context, query, options);
    expect(first.items).toHaveLength(100);
    const step = restOf(kind, query, options, first, "2026-01-01T00:00:00Z");
    await create("t-0150-new");
    expect(resourceStepSchema.parse(JSON.parse(JSON.stringify(step)))).toEqual(step);
    let steps = 0;
    for (let next = step as ResourceStep | undefined; next !== undefined; steps += 1) {
      next = await resources.maintenance.run(next);
    }
    expect(steps).toBe(2);
    expect(await names()).toEqual(["t-0150-new"]);
  });
});

function goOn(token: string | undefined) {
  return token === undefined ? {} : { continue: token };
}
