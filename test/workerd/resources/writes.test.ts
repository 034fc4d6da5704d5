import { describe, expect, it } from "vitest";
import type { ResourceObject } from "../../../src/resources/index.ts";
import { ResourceStore } from "../../../src/resources/storage/resource-store.ts";
import { bindings } from "../bindings.ts";
import { countingDatabase, edit, exampleTasks, NAMESPACE, requestContext, task } from "./fixture.ts";

const counted = (current: ResourceObject) => ({
  ...current,
  spec: { count: (current.spec as { count: number }).count + 1 },
});

describe("writers", () => {
  it("that say the same of one version at the same time are not taken for each other", async () => {
    const store = new ResourceStore(bindings.DB, () => 1_000_000);
    const key = { group: "example.dev", plural: "tasks", namespace: NAMESPACE, name: "same" };
    const made = task("same", { spec: { count: 1 } });
    const metadata = { ...made.metadata, name: "same", uid: crypto.randomUUID() };
    const object = { ...made, metadata } as ResourceObject;
    const first = await store.write({ key, type: "ADDED", object, expected: undefined, supersedes: false });
    const change = { key, type: "MODIFIED", object: counted(object), expected: first, supersedes: false } as const;
    const written = await Promise.all([store.write(change), store.write(change)]);
    expect(written.filter((version) => version !== undefined)).toHaveLength(1);
  });

  it("of one object, sixteen at once, lose no update", async () => {
    const tasks = await exampleTasks();
    await tasks.create("shared");
    const results = await Promise.all(Array.from({ length: 16 }, () => tasks.edit("shared", counted)));
    const { spec, metadata } = await tasks.get("shared");
    expect(spec).toEqual({ count: 16 });
    expect(metadata.generation).toBe(17);
    expect(new Set(results.map((object) => object.metadata.resourceVersion)).size).toBe(16);
  });

  it("that apply what is not there yet make it once, and lose no update either", async () => {
    const { tasks, get } = await exampleTasks();
    const increment = (current: ResourceObject | undefined) =>
      current === undefined ? task("new", { spec: { count: 1 } }) : counted(current);
    const options = { allowCreate: true };
    const results = await Promise.all(
      Array.from({ length: 8 }, () =>
        tasks.update(requestContext(), { namespace: NAMESPACE, name: "new" }, increment, options),
      ),
    );
    expect(results.filter(({ created }) => created)).toHaveLength(1);
    expect((await get("new")).spec).toEqual({ count: 8 });
  });

  it("that insist on a version are refused when another came first", async () => {
    const tasks = await exampleTasks();
    const first = await tasks.create("strict");
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, (_, count) => tasks.edit("strict", () => ({ ...first, spec: { count: count + 1 } }))),
    );
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const refused = results.filter((result) => result.status === "rejected");
    for (const { reason } of refused) expect(reason).toMatchObject({ reason: "Conflict", code: 409 });
  });

  it("that insist on an identity are refused when it is another", async () => {
    const tasks = await exampleTasks();
    await tasks.create("one");
    const other = { uid: crypto.randomUUID(), resourceVersion: "" };
    await expect(
      tasks.edit("one", (current) => ({ ...current, metadata: { ...current.metadata, ...other } })),
    ).rejects.toMatchObject({ reason: "Conflict" });
    for (const preconditions of [{ uid: other.uid }, { resourceVersion: "1" }]) {
      const options = { propagationPolicy: "Background", preconditions } as const;
      await expect(
        tasks.tasks.delete(requestContext(), { namespace: NAMESPACE, name: "one" }, options),
      ).rejects.toMatchObject({
        reason: "Conflict",
      });
    }
    const applied = { ...task("none"), metadata: { name: "none", resourceVersion: "5" } };
    await expect(
      tasks.tasks.update(requestContext(), { namespace: NAMESPACE, name: "none" }, () => applied, {
        allowCreate: true,
      }),
    ).rejects.toMatchObject({ reason: "Conflict" });
  });

  it("create an object in one batch", async () => {
    const { database, counted } = countingDatabase();
    const tasks = await exampleTasks({ database });
    await tasks.create("single");
    expect(counted).toEqual({ batches: 1, statements: 0 });
  });
});

describe("an object", () => {
  it("has a generation that counts what is wanted, and a status of its own", async () => {
    const { create, edit: change, tasks, get } = await exampleTasks();
    const created = await create("job", { status: { phase: "forged" } });
    expect(created).toMatchObject({ metadata: { generation: 1 } });
    expect(created.status).toBeUndefined();
    const reported = await edit(
      tasks,
      "job",
      (current) => ({ ...current, spec: { count: 9 }, status: { phase: "Running" }, metadata: { labels: { a: "b" } } }),
      { subresource: "status" },
    );
    expect(reported).toMatchObject({ spec: { count: 0 }, status: { phase: "Running" }, metadata: { generation: 1 } });
    expect(reported.metadata.labels).toBeUndefined();
    const wanted = await change("job", (current) => ({ ...current, spec: { count: 2 }, status: { phase: "forged" } }));
    expect(wanted).toMatchObject({ spec: { count: 2 }, status: { phase: "Running" }, metadata: { generation: 2 } });
    const labelled = await change("job", (current) => ({
      ...current,
      metadata: { ...current.metadata, labels: { a: "b" } },
    }));
    expect(labelled.metadata.generation).toBe(2);
    const cleared = await edit(tasks, "job", ({ status: _status, ...current }) => current, { subresource: "status" });
    expect(cleared.status).toBeUndefined();
    expect(await get("job")).toEqual(cleared);
  });

  it("of a kind without a status of its own counts any change of it", async () => {
    const { areas } = await exampleTasks();
    const context = requestContext();
    await areas.create(context, undefined, { ...task("here"), kind: "Area" });
    const transform = (current: ResourceObject | undefined) => ({
      ...(current as ResourceObject),
      spec: { count: 1 },
    });
    const { object } = await areas.update(context, { name: "here" }, transform, { allowCreate: false });
    expect(object.metadata.generation).toBe(2);
    expect(object.metadata.namespace).toBeUndefined();
  });

  it("keeps what clients cannot change", async () => {
    const { create, edit: change, get } = await exampleTasks();
    const forged = {
      namespace: "elsewhere",
      generation: 77,
      creationTimestamp: "2001-01-01T00:00:00Z",
      deletionTimestamp: "2001-01-01T00:00:00Z",
      deletionGracePeriodSeconds: 5,
      selfLink: "x",
    };
    const created = await create("solid", { metadata: { ...forged, uid: "mine", resourceVersion: "77" } });
    expect(created.metadata).toMatchObject({ name: "solid", namespace: NAMESPACE, generation: 1 });
    for (const field of ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"])
      expect(created.metadata).not.toHaveProperty(field);
    expect(created.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    const before = await get("solid");
    const after = await change("solid", (current) => ({
      ...current,
      metadata: { ...current.metadata, ...forged, name: "solid" },
    }));
    expect(after).toEqual(before);
    expect(await get("solid")).toEqual(before);
  });

  it("is written once, however often the same is asked", async () => {
    const { create, edit: change } = await exampleTasks();
    const created = await create("same", { metadata: { labels: {}, finalizers: [] } });
    expect(created.metadata).not.toHaveProperty("labels");
    expect(await change("same", ({ metadata, ...rest }) => ({ ...rest, metadata: { name: metadata.name } }))).toEqual(
      created,
    );
  });

  it.each([null, undefined])("may be sent with metadata that is %s", async (nothing) => {
    const { create } = await exampleTasks();
    const metadata = { labels: nothing, annotations: nothing, creationTimestamp: nothing, finalizers: nothing };
    const created = await create("null", { metadata: metadata as never });
    expect(created.metadata).not.toHaveProperty("labels");
    expect(created.metadata.creationTimestamp).toMatch(/^\d{4}-/);
  });

  it("gets a name where it has none", async () => {
    const { tasks } = await exampleTasks();
    const create = (metadata: object) => tasks.create(requestContext(), NAMESPACE, { ...task(""), metadata });
    const one = await create({ generateName: "job-" });
    const two = await create({ generateName: "job-", name: "" });
    expect(one.metadata.name).toMatch(/^job-[a-z0-9]{5}$/);
    expect(two.metadata.name).not.toBe(one.metadata.name);
    expect((await create({ generateName: "x".repeat(100) })).metadata.name).toHaveLength(63);
    await expect(create({})).rejects.toMatchObject({ reason: "Invalid", message: /name or generateName is required/ });
  });

  it.each([
    [{ name: "No" }, "Invalid"],
    [{ name: "a".repeat(254) }, "Invalid"],
    [{ name: "../up" }, "Invalid"],
    [{ name: "__proto__" }, "Invalid"],
    [{ name: "ok", labels: { "-": "x" } }, "Invalid"],
  ])("is not created as %j", async (metadata, reason) => {
    const { tasks, names } = await exampleTasks();
    const input = { ...task(""), metadata } as never;
    await expect(tasks.create(requestContext(), NAMESPACE, input)).rejects.toMatchObject({ reason });
    expect(await names()).toEqual([]);
  });

  it("is not created where it cannot be", async () => {
    const { tasks, areas } = await exampleTasks();
    await expect(tasks.create(requestContext(), undefined, task("a"))).rejects.toMatchObject({ reason: "BadRequest" });
    await expect(areas.create(requestContext(), "team-a", task("a"))).rejects.toMatchObject({ reason: "BadRequest" });
    await expect(tasks.create(requestContext(), "No_Such.", task("a"))).rejects.toMatchObject({ reason: "Invalid" });
  });

  it("is not stored if it is too large, with all that is kept of it", async () => {
    const { create, names } = await exampleTasks();
    const large = { spec: { source: "x".repeat(1024 * 1024) } };
    await expect(create("large", large)).rejects.toMatchObject({ reason: "RequestEntityTooLarge" });
    expect(await names()).toEqual([]);
  });
});

describe("a dry run", () => {
  it("stores nothing", async () => {
    const { tasks, create, get, names } = await exampleTasks();
    const context = requestContext({ dryRun: true });
    const tried = await tasks.create(context, NAMESPACE, task("dry", { spec: { source: "a" } }));
    expect(tried).toMatchObject({ spec: { source: "a", count: 0 }, metadata: { resourceVersion: "" } });
    expect(await names()).toEqual([]);
    const before = await create("dry");
    await expect(tasks.create(context, NAMESPACE, task("dry"))).rejects.toMatchObject({ reason: "AlreadyExists" });
    expect(await edit(tasks, "dry", counted, { context })).toMatchObject({ spec: { count: 1 } });
    await tasks.delete(context, { namespace: NAMESPACE, name: "dry" }, { propagationPolicy: "Foreground" });
    expect(await get("dry")).toEqual(before);
  });
});

describe("finalizers", () => {
  it("hold an object until they are gone", async () => {
    const { create, remove, edit: change, get } = await exampleTasks();
    await create("held", { metadata: { finalizers: ["example.dev/a", "example.dev/b"] } });
    const marked = await remove("held");
    expect(marked.gone).toBe(false);
    expect(marked.object.metadata).toMatchObject({ deletionTimestamp: expect.any(String) });
    expect((await remove("held")).object).toEqual(marked.object);
    await expect(
      change("held", (current) => ({
        ...current,
        metadata: { ...current.metadata, finalizers: [...(current.metadata.finalizers ?? []), "example.dev/c"] },
      })),
    ).rejects.toMatchObject({ reason: "Invalid", message: /no new finalizers/ });
    const without = (finalizers: string[]) => (current: ResourceObject) => ({
      ...current,
      metadata: { ...current.metadata, finalizers },
    });
    await change("held", without(["example.dev/b"]));
    expect((await get("held")).metadata.finalizers).toEqual(["example.dev/b"]);
    await change("held", without([]));
    await expect(get("held")).rejects.toMatchObject({ reason: "NotFound" });
  });
});
