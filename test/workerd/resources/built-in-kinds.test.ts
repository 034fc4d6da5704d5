import { describe, expect, it } from "vitest";
import type { ResourceInput, ResourceObject } from "../../../src/resources/index.ts";
import { bindings, request } from "../bindings.ts";
import { exampleTasks, listQuery, namesOf, requestContext, resourcePlatform, until, watching } from "./fixture.ts";

const context = requestContext();
const HOUR = 3_600_000;
const COORDINATION = "coordination.k8s.io";
const EVENTS = "events.k8s.io";

let spaces = 0;
/** A namespace that no other test of the file uses. */
const newNamespace = () => `built-in-${(spaces += 1)}`;

function send(method: string, path: string, body?: unknown, type = "application/json"): Promise<Response> {
  const init = { method, headers: { "content-type": type } };
  return request(path, body === undefined ? init : { ...init, body: JSON.stringify(body) });
}

/** Rows of the change log that a kind has in a namespace. */
async function rows(group: string, resource: string, namespace: string): Promise<number> {
  const row = await bindings.DB.prepare(
    "SELECT count(*) AS total FROM resource_events WHERE api_group = ?1 AND resource = ?2 AND namespace = ?3",
  )
    .bind(group, resource, namespace)
    .first<{ total: number }>();
  return row?.total ?? 0;
}

const coreEvent = (name: string, more: object = {}): ResourceInput =>
  ({
    apiVersion: "v1",
    kind: "Event",
    metadata: { name },
    involvedObject: { kind: "Widget", name: "one", apiVersion: "example.org/v1" },
    reason: "Watered",
    message: "it was dry",
    source: { component: "gardener" },
    type: "Normal",
    firstTimestamp: "2026-01-01T00:00:00Z",
    lastTimestamp: "2026-01-01T00:00:00Z",
    eventTime: null,
    count: 1,
    ...more,
  }) as ResourceInput;

describe("a lease", () => {
  it("is renewed with microseconds, and leaves nothing of what it was", async () => {
    const namespace = newNamespace();
    const path = `/apis/${COORDINATION}/v1/namespaces/${namespace}/leases`;
    const spec = (second: number) => ({
      holderIdentity: "one",
      leaseDurationSeconds: 15,
      acquireTime: "2026-01-01T00:00:00.000001Z",
      renewTime: `2026-01-01T00:00:${String(second).padStart(2, "0")}.123456Z`,
      leaseTransitions: 0,
    });
    const made = await send("POST", path, {
      apiVersion: `${COORDINATION}/v1`,
      kind: "Lease",
      metadata: { name: "leader" },
      spec: spec(0),
    });
    expect(made.status).toBe(201);
    let lease = await made.json<ResourceObject<object>>();
    for (let second = 1; second <= 5; second += 1) {
      const renewed = await send("PUT", `${path}/leader`, { ...lease, spec: spec(second) });
      expect(renewed.status).toBe(200);
      lease = await renewed.json();
    }
    expect(lease.spec).toEqual(spec(5));
    expect(await rows(COORDINATION, "leases", namespace)).toBe(1);
    const stale = await send("PUT", `${path}/leader`, {
      ...lease,
      metadata: { ...lease.metadata, resourceVersion: "1" },
    });
    expect(stale.status).toBe(409);
    const restored = await send("POST", `${path}/leader/restore`, { resourceVersion: lease.metadata.resourceVersion });
    expect(restored.status).toBe(404);
  });

  it("is watched", async () => {
    const namespace = newNamespace();
    const platform = resourcePlatform();
    const leases = await platform.storage(COORDINATION, "leases");
    const made = await leases.create(context, namespace, { apiVersion: "", kind: "Lease", metadata: { name: "a" } });
    const watched = watching(leases, made.metadata.resourceVersion, { namespace });
    await until(() => watched.bookmark() !== undefined);
    const renew = (holderIdentity: string) =>
      leases.update(
        context,
        { namespace, name: "a" },
        (current) => ({ ...(current ?? made), spec: { holderIdentity } }),
        {
          allowCreate: false,
        },
      );
    await renew("x");
    await until(() => watched.seen().length === 1);
    await renew("y");
    await leases.delete(context, { namespace, name: "a" }, { propagationPolicy: "Background" });
    await until(() => watched.seen().at(-1) === "DELETED a");
    await watched.stop();
  });

  it("that was deleted is forgotten after an hour", async () => {
    const namespace = newNamespace();
    let now = Date.now();
    const platform = resourcePlatform({ clock: () => now });
    const leases = await platform.storage(COORDINATION, "leases");
    for (const name of ["gone", "held"]) {
      await leases.create(context, namespace, { apiVersion: "", kind: "Lease", metadata: { name } });
    }
    await leases.delete(context, { namespace, name: "gone" }, { propagationPolicy: "Background" });
    now += HOUR + 1000;
    await leases.create(context, namespace, { apiVersion: "", kind: "Lease", metadata: { name: "new" } });
    await platform.resources.maintenance.run({ type: "expire-objects" });
    expect(namesOf(await leases.list(context, listQuery({ namespace })))).toEqual(["held", "new"]);
    expect(await rows(COORDINATION, "leases", namespace)).toBe(2);
  });
});

describe("an event", () => {
  it("is one in two shapes", async () => {
    const namespace = newNamespace();
    const core = `/api/v1/namespaces/${namespace}/events`;
    const view = `/apis/${EVENTS}/v1/namespaces/${namespace}/events`;
    expect((await send("POST", core, coreEvent("old"))).status).toBe(201);
    const made = await send("POST", view, {
      apiVersion: `${EVENTS}/v1`,
      kind: "Event",
      metadata: { name: "new" },
      eventTime: "2026-01-01T00:00:00.000001Z",
      regarding: { kind: "Widget", name: "two" },
      note: "wet",
      reason: "Rain",
      action: "Rain",
      type: "Warning",
      reportingController: "sky",
      reportingInstance: "sky-1",
    });
    expect(made.status).toBe(201);
    const shown = async (path: string) => (await send("GET", path)).json<ResourceObject>();
    expect(await shown(`${view}/old`)).toMatchObject({
      apiVersion: `${EVENTS}/v1`,
      regarding: { name: "one" },
      note: "it was dry",
      deprecatedSource: { component: "gardener" },
      deprecatedCount: 1,
    });
    expect(await shown(`${core}/new`)).toMatchObject({
      apiVersion: "v1",
      involvedObject: { name: "two" },
      message: "wet",
      reportingComponent: "sky",
    });
    const names = async (path: string, selector: string) => {
      const answer = await send("GET", `${path}?fieldSelector=${encodeURIComponent(selector)}`);
      return (await answer.json<{ items: ResourceObject[] }>()).items.map(({ metadata }) => metadata.name);
    };
    expect(await names(core, "involvedObject.kind=Widget,involvedObject.name=two")).toEqual(["new"]);
    expect(await names(view, "regarding.name=one,type=Normal")).toEqual(["old"]);
    const counted = await send(
      "PATCH",
      `${core}/old`,
      { count: 2, lastTimestamp: "2026-01-01T00:01:00Z" },
      "application/strategic-merge-patch+json",
    );
    expect(await counted.json()).toMatchObject({ count: 2, message: "it was dry" });
    const series = { count: 2, lastObservedTime: "2026-01-01T00:02:00.000000Z" };
    const patched = await send("PATCH", `${view}/new`, { series }, "application/strategic-merge-patch+json");
    expect(await patched.json()).toMatchObject({ series, note: "wet" });
    expect(await rows("", "events", namespace)).toBe(2);
  });

  it("is where the object is that it is about", async () => {
    const namespace = newNamespace();
    const view = `/apis/${EVENTS}/v1/namespaces/${namespace}/events`;
    const regarding = { kind: "Widget", name: "two", namespace: "elsewhere" };
    const refused = await send("POST", view, {
      apiVersion: `${EVENTS}/v1`,
      kind: "Event",
      metadata: { name: "new" },
      regarding,
    });
    expect(refused.status).toBe(422);
    const status = await refused.json<{ message: string; details: { causes: { field: string }[] } }>();
    expect(status.details.causes[0]?.field).toBe("regarding.namespace");
    expect(status.message).toContain("regarding.namespace");
  });

  it("is kept for an hour after its latest change, and watchers are told when it goes", async () => {
    const namespace = newNamespace();
    let now = Date.now();
    const platform = resourcePlatform({ clock: () => now });
    const events = await platform.storage("", "events");
    const view = await platform.storage(EVENTS, "events");
    await events.create(context, namespace, coreEvent("stale"));
    await events.create(context, namespace, coreEvent("repeated"));
    now += HOUR - 1000;
    await events.update(
      context,
      { namespace, name: "repeated" },
      (current) => ({ ...current, count: 2 }) as ResourceInput,
      {
        allowCreate: false,
      },
    );
    const watched = watching(view, Number((await view.list(context, listQuery())).resourceVersion), { namespace });
    await until(() => watched.bookmark() !== undefined);
    now += 2000;
    expect(await platform.resources.maintenance.run({ type: "expire-objects" })).toBeUndefined();
    await platform.settle();
    expect(namesOf(await events.list(context, listQuery({ namespace })))).toEqual(["repeated"]);
    await until(() => watched.seen().includes("DELETED stale"));
    await watched.stop();
    now += HOUR + 1000;
    await platform.resources.maintenance.run({ type: "expire-objects" });
    expect(namesOf(await events.list(context, listQuery({ namespace })))).toEqual([]);
    now += HOUR + 1000;
    await exampleTasks({ clock: () => now }).then((tasks) => tasks.create("later"));
    await platform.resources.maintenance.run({ type: "expire-objects" });
    expect(await rows("", "events", namespace)).toBe(0);
  });
});

describe("a config map", () => {
  const configMap = (name: string, more: object) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name },
    ...more,
  });

  it("has texts and bytes by their keys, and can be fixed", async () => {
    const path = `/api/v1/namespaces/${newNamespace()}/configmaps`;
    const given = { data: { "a.yaml": "x: 1" }, binaryData: { "b.bin": "AAEC" } };
    const made = await send("POST", path, configMap("one", { ...given, immutable: true }));
    expect(made.status).toBe(201);
    expect(await (await send("GET", `${path}/one`)).json()).toMatchObject(given);
    for (const change of [{ data: { "a.yaml": "x: 2" } }, { immutable: false }, { binaryData: null }]) {
      const refused = await send("PATCH", `${path}/one`, change, "application/merge-patch+json");
      expect(refused.status).toBe(422);
    }
    const labelled = { metadata: { labels: { a: "1" } } };
    expect((await send("PATCH", `${path}/one`, labelled, "application/merge-patch+json")).status).toBe(200);
  });

  it.each([
    [{ data: { "a/b": "" } }, "data[a/b]"],
    [{ data: { "..": "" } }, "data[..]"],
    [{ data: { a: "" }, binaryData: { a: "" } }, "binaryData[a]"],
    [{ data: { a: 1 } }, "data.a"],
    [{ binaryData: { a: "!" } }, "binaryData.a"],
  ])("is not %j", async (given, field) => {
    const refused = await send("POST", `/api/v1/namespaces/${newNamespace()}/configmaps`, configMap("one", given));
    expect(refused.status).toBe(422);
    const { details } = await refused.json<{ details: { causes: { field: string }[] } }>();
    expect(details.causes.map((cause) => cause.field)).toEqual([field]);
  });
});

describe("a watch of namespaces", () => {
  it("sees those that are made, and those that something is put into", async () => {
    const tasks = await exampleTasks();
    const namespaces = await tasks.storage("", "namespaces");
    const [filled, made] = [newNamespace(), newNamespace()];
    const watched = watching(namespaces, Number((await namespaces.list(context, listQuery())).resourceVersion));
    await until(() => watched.bookmark() !== undefined);
    const input = { apiVersion: "v1", kind: "Namespace", metadata: { name: made } };
    await namespaces.create(context, undefined, input);
    await tasks.tasks.create(context, filled, { apiVersion: "", kind: "Task", metadata: { name: "one" } });
    await until(() => watched.seen().includes(`ADDED ${made}`) && watched.seen().includes(`ADDED ${filled}`));
    // One that somebody makes after all has been seen already.
    await namespaces.create(context, undefined, { ...input, metadata: { name: filled } });
    await until(() => watched.seen().includes(`MODIFIED ${filled}`));
    expect(watched.seen().filter((line) => line.endsWith(filled))).toEqual([`ADDED ${filled}`, `MODIFIED ${filled}`]);
    await watched.stop();
  });

  it("begins with all there are, and sees one go with what was in it", async () => {
    const tasks = await exampleTasks();
    const namespaces = await tasks.storage("", "namespaces");
    const filled = newNamespace();
    const object = { apiVersion: "", kind: "Task", metadata: { name: "one" } };
    const { metadata } = await tasks.tasks.create(context, filled, object);
    const watched = watching(namespaces, 0);
    await until(() => watched.bookmark() !== undefined);
    expect(watched.seen()).toContain("ADDED default");
    expect(watched.seen()).toContain(`ADDED ${filled}`);
    // A watch that resumes from before it was there is told as well.
    const resumed = watching(namespaces, Number(metadata.resourceVersion) - 1, { fields: `metadata.name=${filled}` });
    await until(() => resumed.seen().length > 0);
    expect(resumed.seen()).toEqual([`ADDED ${filled}`]);
    await tasks.tasks.delete(context, { namespace: filled, name: "one" }, { propagationPolicy: "Background" });
    await until(() => watched.seen().includes(`DELETED ${filled}`) && resumed.seen().length === 2);
    await Promise.all([watched.stop(), resumed.stop()]);
  });
});
