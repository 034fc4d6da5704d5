import { describe, expect, it } from "vitest";
import type { ResourceInput, ResourceObject } from "../../../src/resources/index.ts";
import { definitions, widgetObject, widgets } from "./definition-fixture.ts";
import { listQuery, namesOf, NAMESPACE, PLATFORM, requestContext } from "./fixture.ts";

const context = requestContext();
const background = { propagationPolicy: "Background" } as const;

async function apps() {
  const platform = await definitions();
  const storage = await platform.storage(PLATFORM, "apps");
  const { group } = platform;
  const object = (name: string, spec: object = {}) => ({
    ...widgetObject(name, spec, { namespace: NAMESPACE }),
    apiVersion: `${group}/v1`,
  });
  const name = group.split(".")[0] ?? "";
  const app = (objects: readonly ResourceInput[]): ResourceInput => ({
    apiVersion: `${PLATFORM}/v1`,
    kind: "App",
    metadata: { name },
    spec: { title: "An app", definitions: [widgets(group).spec], objects },
  });
  return {
    ...platform,
    apps: storage,
    name,
    object,
    app,
    install: (...objects: readonly ResourceInput[]) => storage.create(context, undefined, app(objects)),
    apply: (...objects: readonly ResourceInput[]) =>
      storage.update(context, { name }, () => app(objects), { allowCreate: true }),
    list: async () => namesOf(await (await platform.widgets()).list(context, listQuery())),
  };
}

function installed(object: ResourceObject) {
  return (object.status as { conditions: { status: string; message: string }[] }).conditions[0];
}

describe("an app", () => {
  it("brings its kinds and objects", async () => {
    const { install, object, list, group, definitions: stored } = await apps();
    const created = await install(object("a"), object("b", { size: 5 }));
    expect(created.status).toMatchObject({ definitions: 1, objects: 2, conditions: [{ status: "True" }] });
    expect(await list()).toEqual(["a", "b"]);
    const definition = await stored.get(context, { name: `widgets.${group}` });
    expect(definition.metadata.ownerReferences).toEqual([expect.objectContaining({ kind: "App", controller: true })]);
  });

  it.each(["create", "apply"] as const)("of which a part is refused leaves nothing, by %s", async (how) => {
    const { install, apply, object, apps: storage, name, registry, group, settle } = await apps();
    const write = how === "create" ? install : apply;
    await expect(write(object("a"), object("b", { size: 0 }))).rejects.toMatchObject({ reason: "Invalid" });
    await settle();
    await expect(storage.get(context, { name })).rejects.toMatchObject({ reason: "NotFound" });
    expect(await registry.resource(group, "widgets")).toBeUndefined();
    await install(object("a"));
  });

  it("is not installed by a dry run", async () => {
    const { apps: storage, app, object, registry, group } = await apps();
    await storage.create(requestContext({ dryRun: true }), undefined, app([object("a")]));
    expect(await registry.resource(group, "widgets")).toBeUndefined();
  });

  it("removes what its next version does not list, and leaves what others made", async () => {
    const { install, apply, object, list, widgets: stored } = await apps();
    await install(object("a"), object("b"));
    await (await stored()).create(context, NAMESPACE, widgetObject("foreign"));
    const { object: upgraded } = await apply(object("b", { size: 9 }), object("c"));
    expect(installed(upgraded)?.status).toBe("True");
    expect(await list()).toEqual(["b", "c", "foreign"]);
    expect((await (await stored()).get(context, { namespace: NAMESPACE, name: "b" })).spec).toEqual({ size: 9 });
  });

  it("does not take over what is not its own, and says so", async () => {
    const { install, apply, object, apps: storage, name, widgets: stored } = await apps();
    await install(object("a"));
    await (await stored()).create(context, NAMESPACE, widgetObject("foreign", { size: 7 }));
    const refused = apply(object("a"), object("foreign", { size: 8 }));
    await expect(refused).rejects.toMatchObject({ reason: "Conflict", message: /does not belong to the app/ });
    expect((await (await stored()).get(context, { namespace: NAMESPACE, name: "foreign" })).spec).toEqual({ size: 7 });
    const noted = await storage.get(context, { name });
    expect(installed(noted)).toMatchObject({ status: "False", message: expect.stringContaining("foreign") });
    expect(installed((await apply(object("a"))).object)?.status).toBe("True");
  });

  it("takes everything with it", async () => {
    const { install, object, apps: storage, name, registry, group, settle, widgets: stored } = await apps();
    await install(object("a"));
    await (await stored()).create(context, NAMESPACE, widgetObject("of-a-user"));
    await storage.delete(context, { name }, background);
    await settle();
    expect(await registry.resource(group, "widgets")).toBeUndefined();
    await install();
    expect((await (await stored()).list(context, listQuery())).items).toEqual([]);
  });
});
