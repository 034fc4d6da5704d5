import { describe, expect, it } from "vitest";
import type { ResourceObject } from "../../../src/resources/index.ts";
import { definitions, widgetObject, widgets, withSpec } from "./definition-fixture.ts";
import { edit, listQuery, NAMESPACE, PLATFORM, requestContext, resourcePlatform } from "./fixture.ts";

const context = requestContext();
const background = { propagationPolicy: "Background" } as const;

function conditions(object: ResourceObject): Record<string, string> {
  const { conditions: list = [] } = (object.status ?? {}) as { conditions?: { type: string; status: string }[] };
  return Object.fromEntries(list.map(({ type, status }) => [type, status]));
}

describe("a definition", () => {
  it("makes a kind at once, with defaults, pruning, rules and a status", async () => {
    const { group, define, widgets: stored } = await definitions();
    const definition = await define();
    expect(conditions(definition)).toEqual({ NamesAccepted: "True", Established: "True", ObjectsConform: "True" });
    const storage = await stored();
    const created = await storage.create(context, NAMESPACE, widgetObject("w", { title: "t", unknown: 1 }));
    expect(created).toMatchObject({ apiVersion: `${group}/v1`, spec: { size: 3, title: "t" } });
    expect(created.spec).not.toHaveProperty("unknown");
    await expect(storage.create(context, NAMESPACE, widgetObject("x", { size: 0 }))).rejects.toMatchObject({
      reason: "Invalid",
      details: { causes: [{ field: "spec.size" }] },
    });
    await expect(storage.create(context, NAMESPACE, widgetObject("x", { size: 101 }))).rejects.toMatchObject({
      reason: "Invalid",
      message: /too big/,
    });
    const reported = await edit(storage, "w", (w) => ({ ...w, status: { phase: "Ready" } }), { subresource: "status" });
    expect(reported).toMatchObject({ status: { phase: "Ready" }, metadata: { generation: 1 } });
  });

  it.each([
    ["no type", { properties: { spec: {} } }, {}, "spec.versions[0].schema.openAPIV3Schema"],
    [
      "a rule that is none",
      { type: "object", "x-kubernetes-validations": [{ rule: "self. +" }] },
      {},
      "spec.versions[0].schema.openAPIV3Schema",
    ],
    ["a reserved group", undefined, { group: "x.entrepot.dev" }, "spec.group"],
    ["a bad kind", undefined, { names: { kind: "widget", plural: "widgets" } }, "spec"],
    ["another name", undefined, { names: { kind: "Widget", plural: "gadgets" } }, "metadata.name"],
  ])("with %s is refused", async (_, schema, more, field) => {
    const { group, define, registry } = await definitions();
    const error = await define(widgets(group, schema, more)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ reason: "Invalid" });
    const { causes } = (error as { details: { causes: { field: string }[] } }).details;
    expect(causes.some((cause) => cause.field.startsWith(field))).toBe(true);
    expect(await registry.version(group, "v1")).toBeUndefined();
  });

  it("with a column that leads nowhere, or names that another one has, is refused", async () => {
    const { group, define } = await definitions();
    const version = { name: "v1", storage: true, schema: { openAPIV3Schema: withSpec({}) } };
    const column = { name: "Broken", type: "string", jsonPath: ".spec[" };
    const broken = widgets(group, undefined, { versions: [{ ...version, additionalPrinterColumns: [column] }] });
    await expect(define(broken)).rejects.toMatchObject({ reason: "Invalid", message: /column "Broken"/ });
    await define();
    const names = { kind: "Widget", plural: "gadgets" };
    const other = { ...widgets(group, undefined, { names }), metadata: { name: `gadgets.${group}` } };
    await expect(define(other)).rejects.toMatchObject({ reason: "Invalid", message: /Duplicate value: "Widget"/ });
  });

  it("keeps its scope", async () => {
    const { group, define, definitions: storage } = await definitions();
    await define();
    const next = widgets(group, undefined, { scope: "Cluster" });
    await expect(
      storage.update(context, { name: `widgets.${group}` }, () => next, { allowCreate: false }),
    ).rejects.toMatchObject({ details: { causes: [{ field: "spec.scope" }] } });
  });

  it("says so when its schema breaks stored objects, which can still be labelled and let go", async () => {
    const { group, define, definitions: storage, widgets: stored } = await definitions();
    await define();
    const objects = await stored();
    const held = { finalizers: ["example.dev/hold"] };
    await objects.create(context, NAMESPACE, widgetObject("fine", { title: "yes" }));
    await objects.create(context, NAMESPACE, widgetObject("broken", {}, held));
    const warnings: string[] = [];
    const warned = requestContext({ warn: (message) => warnings.push(message) });
    const apply = (schema: object) =>
      storage.update(warned, { name: `widgets.${group}` }, () => widgets(group, schema), { allowCreate: true });
    const changed = await apply(withSpec({ title: { type: "string" } }, ["title"]));
    expect(warnings).toEqual([expect.stringContaining("team-a/broken does not satisfy the schema: spec.title")]);
    expect(conditions(changed.object)).toMatchObject({ ObjectsConform: "False", Established: "True" });
    const label = (current: ResourceObject) => ({ ...current, metadata: { ...current.metadata, labels: { a: "b" } } });
    expect((await edit(await stored(), "broken", label)).metadata.labels).toEqual({ a: "b" });
    const respecified = edit(await stored(), "broken", (current) => ({ ...current, spec: { size: 4 } }));
    await expect(respecified).rejects.toMatchObject({ reason: "Invalid" });
    await (await stored()).delete(context, { namespace: NAMESPACE, name: "broken" }, background);
    await edit(await stored(), "broken", (current) => ({ ...current, metadata: { name: "broken" } }));
    expect((await (await stored()).list(context, listQuery())).items).toHaveLength(1);
    expect(conditions((await apply(withSpec({ title: { type: "string" } }))).object)).toMatchObject({
      ObjectsConform: "True",
    });
  });

  it("that is applied and not created holds on to its objects all the same", async () => {
    const { group, definitions: storage, widgets: stored, registry } = await definitions();
    const applied = await storage.update(context, { name: `widgets.${group}` }, () => widgets(group), {
      allowCreate: true,
    });
    expect(applied.created).toBe(true);
    await (await stored()).create(context, NAMESPACE, widgetObject("w"));
    await storage.deleteCollection(context, listQuery({ fields: `metadata.name=widgets.${group}` }), background);
    await expect(storage.get(context, { name: `widgets.${group}` })).rejects.toMatchObject({ reason: "NotFound" });
    expect(await registry.resource(group, "widgets")).toBeUndefined();
    await storage.update(context, { name: `widgets.${group}` }, () => widgets(group), { allowCreate: true });
    expect((await (await stored()).list(context, listQuery())).items).toEqual([]);
  });

  it("takes its objects with it, by steps if there are many", async () => {
    const { group, define, definitions: storage, widgets: stored, settle, client } = await definitions();
    await define();
    const objects = await stored();
    for (let index = 0; index < 230; index += 1)
      await objects.create(context, NAMESPACE, widgetObject(`w-${String(index).padStart(3, "0")}`));
    const { gone } = await storage.delete(context, { name: `widgets.${group}` }, background);
    expect(gone).toBe(false);
    expect(await settle()).toBe(2);
    const kind = { group: PLATFORM, plural: "resourcedefinitions" };
    expect(await client.find(kind, { name: `widgets.${group}` })).toBeUndefined();
    await define();
    expect((await (await stored()).list(context, listQuery())).items).toEqual([]);
  });

  it("waits for objects that something holds, and lets them be let go of", async () => {
    const { group, define, definitions: storage, widgets: stored, steps, resources } = await definitions();
    await define();
    await (await stored()).create(context, NAMESPACE, widgetObject("w", {}, { finalizers: ["example.dev/hold"] }));
    await storage.delete(context, { name: `widgets.${group}` }, background);
    expect(steps.splice(0)).toEqual([{ step: { type: "definition-gone", name: `widgets.${group}` }, delay: 10 }]);
    const going = await stored();
    expect(going.create).toBeUndefined();
    await edit(going, "w", (current) => ({ ...current, metadata: { name: "w" } }));
    // The step was lost.
    await resources.maintenance.run({ type: "sweep-dependents" });
    await expect(storage.get(context, { name: `widgets.${group}` })).rejects.toMatchObject({ reason: "NotFound" });
  });

  it("is served by other isolates when what they read is old", async () => {
    let now = Date.now();
    const other = resourcePlatform({ staleness: 1000, clock: () => now });
    const { group, define, definitions: storage } = await definitions({ staleness: 1000 });
    expect(await other.registry.resource(group, "widgets")).toBeUndefined();
    await define();
    now += 999;
    expect(await other.registry.resource(group, "widgets")).toBeUndefined();
    now += 1;
    expect(await other.registry.resource(group, "widgets")).toBeDefined();
    await storage.delete(context, { name: `widgets.${group}` }, background);
    now += 1000;
    expect(await other.registry.resource(group, "widgets")).toBeUndefined();
  });

  it("leaves groups as they were while nothing changed, so that documents about them can be kept", async () => {
    const { group, define, definitions: storage, registry } = await definitions();
    await define();
    const before = await registry.groups();
    expect(await registry.groups()).toBe(before);
    await storage.update(
      context,
      { name: `widgets.${group}` },
      (current) => ({ ...(current as ResourceObject), metadata: { labels: { a: "b" } } }),
      { allowCreate: false },
    );
    expect(await registry.groups()).toBe(before);
    const version = { name: "v1", storage: true, schema: { openAPIV3Schema: withSpec({}) } };
    const names = { kind: "Gadget", plural: "gadgets" };
    const other = { ...widgets(`other.${group}`, undefined, { names, versions: [version] }) };
    await define({ ...other, metadata: { name: `gadgets.other.${group}` } });
    const after = await registry.groups();
    expect(after).not.toBe(before);
    const served = (groups: typeof after) => groups.find((candidate) => candidate.group === group);
    expect(served(after)).toBe(served(before));
  });
});
