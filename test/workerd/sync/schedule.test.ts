import { describe, expect, it } from "vitest";
import { COPY_APP, syncWorld } from "./run-fixture.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

async function scheduled(more: object = {}) {
  const world = syncWorld();
  world.source.addImage("team/app", { tag: "v1" });
  const task = await world.task("app", { ...COPY_APP, schedule: { cron: "0 * * * *" }, ...more });
  const runs = () => world.ports.executions.list({ taskUid: task.metadata.uid }, 100);
  const toNextHour = (offset = 0) => {
    world.time.now = (Math.floor(world.time.now / HOUR) + 1) * HOUR + offset;
  };
  return { ...world, task, runs, toNextHour };
}

describe("the minute clock", () => {
  it("says when a task is due, and runs it then, once", async () => {
    const world = await scheduled();
    await world.tick();
    expect(await world.runs()).toHaveLength(0);
    const { status } = await world.read("app");
    expect(status?.nextRuns).toHaveLength(3);
    world.toNextHour(5000);
    const [due] = status?.nextRuns ?? [];
    await Promise.all([world.tick(), world.tick(), world.tick()]);
    await world.settle();
    const runs = await world.runs();
    expect(runs).toHaveLength(1);
    expect(runs[0]).toMatchObject({ cause: "schedule", state: "succeeded", scheduledAt: Date.parse(due ?? "") });
    await world.tick();
    expect(await world.runs()).toHaveLength(1);
    expect((await world.read("app")).status?.nextRuns?.[0]).not.toBe(due);
  });

  it("need not come for a task to say when it is due", async () => {
    const world = await scheduled();
    const shown = async () => (await world.read("app")).status?.nextRuns?.length;
    await expect.poll(shown).toBe(3);
    await world.ports
      .client()
      .update({ group: "sync.entrepot.dev", plural: "synctasks" }, world.namespace, "app", (task) => ({
        ...task,
        spec: { ...(task.spec as object), enabled: false },
      }));
    await expect.poll(shown).toBe(0);
  });

  it("makes up for what was missed with one run", async () => {
    const world = await scheduled();
    await world.tick();
    world.time.now += 7 * HOUR;
    await world.tick();
    await world.settle();
    await world.tick();
    expect(await world.runs()).toHaveLength(1);
  });

  it("leaves a run out while another is not done", async () => {
    const world = await scheduled();
    await world.tick();
    const { id } = await world.run(world.task);
    world.toNextHour();
    await world.tick();
    expect(await world.runs()).toHaveLength(1);
    expect(world.lines).toContainEqual(expect.objectContaining({ execution: id, level: "warn" }));
    await world.settle();
    world.time.now += MINUTE;
    await world.tick();
    expect(await world.runs()).toHaveLength(1);
  });

  it("does not run what is not enabled, nor what was due before it was", async () => {
    const world = await scheduled({ enabled: false });
    await world.tick();
    world.toNextHour();
    await world.tick();
    expect(await world.runs()).toHaveLength(0);
    await world.ports
      .client()
      .update({ group: "sync.entrepot.dev", plural: "synctasks" }, world.namespace, "app", (task) => ({
        ...task,
        spec: { ...(task.spec as object), enabled: true },
      }));
    await world.tick();
    expect(await world.runs()).toHaveLength(0);
    world.toNextHour();
    await world.tick();
    expect(await world.runs()).toHaveLength(1);
  });
});
