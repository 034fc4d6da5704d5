import { describe, expect, it } from "vitest";
import type { Preview, SyncTask } from "../../../src/sync/index.ts";
import { COPY_APP, syncWorld } from "./run-fixture.ts";

const APP = "team/app";
type World = ReturnType<typeof syncWorld>;

async function preview(world: World, task: SyncTask): Promise<Preview> {
  const found = await world.control.preview(task, { limit: 1000, signal: new AbortController().signal });
  if (!found.ok) throw new Error(found.error.message);
  return found.value;
}

/** What the run of a task says that failed. */
async function failures(world: World, task: SyncTask): Promise<readonly (string | null)[]> {
  const { id } = await world.run(task);
  await world.settle();
  return (await world.ports.items.failed(id, 100)).map(({ error }) => error);
}

describe("a preview", () => {
  it("does not promise two images under one name", async () => {
    const world = syncWorld();
    world.source.addImage("a/app", { layers: ["a"], tag: "v1" });
    world.source.addImage("b/app", { layers: ["b"], tag: "v1" });
    const source = { registry: "hub", repositories: ["a/app", "b/app"] };
    const task = await world.task("app", { ...COPY_APP, source, targets: [{ registry: "mirror", repository: "app" }] });
    const { items, warnings } = await preview(world, task);
    expect(items.map(({ repository }) => repository)).toEqual(["a/app"]);
    expect(warnings).toEqual(["b/app:v1: a/app:v1 has the same name at mirror: app:v1"]);
    expect(await failures(world, task)).toEqual(["a/app:v1 has the same name at mirror: app:v1"]);
  });

  it("says what of lists that did not come to an end would not be looked at", async () => {
    const world = syncWorld();
    world.source.addImage(APP, { tag: "v1" });
    const source = { registry: "hub", project: "team" };
    const prune = { enabled: true, dryRun: false, maximumShare: 1 };
    const task = await world.task("app", { ...COPY_APP, source, prune });
    world.source.brokenLists.add("tags").add("repositories");
    const { items, warnings } = await preview(world, task);
    expect(items).toMatchObject([{ tag: "v1", action: "copy" }]);
    expect(warnings).toEqual([
      `the tags of ${APP} cannot be listed: the list may not be whole; nothing would be deleted`,
      "the repositories cannot be listed: the list may not be whole; nothing would be deleted",
    ]);
    expect(await failures(world, task)).toHaveLength(2);
  });

  it.each([
    ["that reads what it writes", { targets: [{ registry: "hub", repository: "team/{{ .Base }}" }] }],
    ["with a registry that is not there", { targets: [{ registry: "absent" }] }],
  ])("is refused where a run is: of a task %s", async (_case, more) => {
    const world = syncWorld();
    const task = await world.task("app", COPY_APP);
    const changed = { ...task, spec: { ...task.spec, ...more } } as SyncTask;
    const seen = await world.control.preview(changed, { limit: 1, signal: new AbortController().signal });
    const begun = await world.control.run(changed, { cause: "manual", actor: "alice" });
    expect(seen).toMatchObject({ ok: false, error: { reason: "invalid" } });
    expect(begun).toMatchObject({ ok: false, error: { reason: "invalid" } });
  });
});
