import { describe, expect, it } from "vitest";
import type { ResourceObject } from "../../../src/resources/index.ts";
import { exampleGroup, type ExampleTasks, exampleTasks, resourcePlatform } from "./fixture.ts";

/** What makes an object belong to others. */
function ownedBy(...owners: readonly ResourceObject[]) {
  const ownerReferences = owners.map(({ apiVersion, kind, metadata: { name, uid } }) => ({
    apiVersion,
    kind,
    name,
    uid,
  }));
  return { metadata: { ownerReferences } };
}

const unhold = (current: ResourceObject) => ({ ...current, metadata: { ...current.metadata, finalizers: [] } });

async function family(tasks: ExampleTasks, children: number) {
  const parent = await tasks.create("parent");
  for (let index = 0; index < children; index += 1) await tasks.create(`child-${index}`, ownedBy(parent));
  return parent;
}

describe("deleting an owner", () => {
  it("in the background deletes what belongs to it afterwards, and what belongs to that", async () => {
    const tasks = await exampleTasks();
    await family(tasks, 3);
    await tasks.create("grandchild", ownedBy(await tasks.get("child-1")));
    await tasks.create("stranger");
    expect((await tasks.remove("parent")).gone).toBe(true);
    expect(await tasks.names()).toHaveLength(5);
    await tasks.settle();
    expect(await tasks.names()).toEqual(["stranger"]);
  });

  it("deletes many dependents by steps, past those that something holds", async () => {
    const tasks = await exampleTasks();
    const parent = await family(tasks, 130);
    for (let index = 0; index < 105; index += 1)
      await tasks.create(`held-${index}`, {
        metadata: { ...ownedBy(parent).metadata, finalizers: ["example.dev/hold"] },
      });
    await tasks.remove("parent");
    expect(await tasks.settle()).toBeLessThan(10);
    const left = await tasks.names();
    expect(left).toHaveLength(105);
    expect((await tasks.get("held-0")).metadata.deletionTimestamp).toBeDefined();
  });

  it("in the foreground waits for them, and for what holds them", async () => {
    const tasks = await exampleTasks();
    const parent = await family(tasks, 2);
    await tasks.create("held", { metadata: { ...ownedBy(parent).metadata, finalizers: ["example.dev/hold"] } });
    const deleted = await tasks.remove("parent", "Foreground");
    expect(deleted.gone).toBe(false);
    expect(deleted.object.metadata.finalizers).toEqual(["foregroundDeletion"]);
    await tasks.settle();
    expect(await tasks.names()).toEqual(["held", "parent"]);
    // Nothing goes round in circles meanwhile.
    expect(tasks.steps).toEqual([]);
    await tasks.edit("held", unhold);
    await tasks.settle();
    expect(await tasks.names()).toEqual([]);
  });

  it("may let its dependents live", async () => {
    const tasks = await exampleTasks();
    await family(tasks, 120);
    expect((await tasks.remove("parent", "Orphan")).gone).toBe(false);
    await tasks.settle();
    expect(await tasks.names()).toHaveLength(120);
    expect((await tasks.get("child-119")).metadata.ownerReferences).toBeUndefined();
    await tasks.resources.maintenance.run({ type: "sweep-dependents" });
    await tasks.settle();
    expect(await tasks.names()).toHaveLength(120);
  });

  it("without dependents takes no detour", async () => {
    const tasks = await exampleTasks();
    for (const policy of ["Foreground", "Orphan"] as const) {
      await tasks.create("alone");
      expect((await tasks.remove("alone", policy)).gone).toBe(true);
    }
    expect(tasks.steps).toEqual([]);
  });
});

describe("an object with two owners", () => {
  it("goes with the last of them", async () => {
    const tasks = await exampleTasks();
    const [first, second] = [await tasks.create("first"), await tasks.create("second")];
    await tasks.create("shared", ownedBy(first, second));
    await tasks.remove("first");
    await tasks.settle();
    const { ownerReferences = [] } = (await tasks.get("shared")).metadata;
    expect(ownerReferences.map(({ name }) => name)).toEqual(["second"]);
    await tasks.remove("second", "Foreground");
    await tasks.settle();
    expect(await tasks.names()).toEqual([]);
  });
});

describe("the sweep", () => {
  it("does what lost messages would have done", async () => {
    const lossy = await exampleTasks({ losesSteps: true });
    await family(lossy, 3);
    for (const policy of ["Foreground", "Orphan"] as const) {
      const owner = await lossy.create(`${policy.toLowerCase()}-owner`);
      await lossy.create(`${policy.toLowerCase()}-child`, ownedBy(owner));
      await lossy.remove(owner.metadata.name, policy);
    }
    await lossy.remove("parent");
    await lossy.settle();
    expect(await lossy.names()).toHaveLength(7);
    // Another isolate, whose queue works.
    const { resources, settle } = resourcePlatform({ groups: [exampleGroup(lossy.group)] });
    await resources.maintenance.run({ type: "sweep-dependents" });
    await settle();
    expect(await lossy.names()).toEqual(["orphan-child"]);
  });
});
