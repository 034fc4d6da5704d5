import { describe, expect, it } from "vitest";
import { type SyncTask, SYNC_TASKS } from "../../../src/sync/index.ts";
import { bindings } from "../bindings.ts";
import { COPY_APP, syncWorld } from "./run-fixture.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const { DB } = bindings;

const migrations = import.meta.glob("../../../migrations/0011_due.sql", {
  query: "?raw",
  import: "default",
  eager: true,
});

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
      .update(
        { group: "sync.entrepot.dev", plural: "synctasks" },
        { namespace: world.namespace, name: "app" },
        (task) => ({
          ...task,
          spec: { ...(task.spec as object), enabled: false },
        }),
      );
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
      .update(
        { group: "sync.entrepot.dev", plural: "synctasks" },
        { namespace: world.namespace, name: "app" },
        (task) => ({
          ...task,
          spec: { ...(task.spec as object), enabled: true },
        }),
      );
    await world.tick();
    expect(await world.runs()).toHaveLength(0);
    world.toNextHour();
    await world.tick();
    expect(await world.runs()).toHaveLength(1);
  });

  it("does not lose a time that has come when the task is changed before the clock looks", async () => {
    const world = await scheduled();
    await world.tick();
    world.toNextHour(5000);
    await world.ports.client().update(SYNC_TASKS, { namespace: world.namespace, name: "app" }, (task) => ({
      ...task,
      spec: { ...(task.spec as object), description: "another" },
    }));
    await world.tick();
    expect(await world.runs()).toHaveLength(1);
  });

  it("goes by the schedule and the zone that a task has now", async () => {
    const world = await scheduled();
    const change = (schedule: object) =>
      world.ports.client().update(SYNC_TASKS, { namespace: world.namespace, name: "app" }, (task) => ({
        ...task,
        spec: { ...(task.spec as object), schedule },
      }));
    world.time.now = (Math.floor(world.time.now / DAY) + 1) * DAY;
    const noon = world.time.now + 12 * HOUR;
    await change({ cron: "0 12 * * *", timeZone: "Asia/Kolkata" });
    await world.tick();
    expect(await dueAt(world.task)).toBe(noon - 5.5 * HOUR);
    await change({ cron: "0 12 * * *" });
    await world.tick();
    expect(await dueAt(world.task)).toBe(noon);
    world.time.now = noon;
    await world.tick();
    expect(await world.runs()).toMatchObject([{ scheduledAt: noon }]);
  });

  it("finds a task that was written, or changed, or deleted, without anybody being told", async () => {
    const world = await scheduled();
    await world.tick();
    const copy = { uid: `copy-${world.namespace}`, name: "copied" };
    await DB.prepare(
      `INSERT INTO resources (api_group, resource, namespace, name, uid, rv, object)
       SELECT api_group, resource, namespace, ?2, ?1, rv, json_set(object, '$.metadata.uid', ?1, '$.metadata.name', ?2)
       FROM resources WHERE uid = ?3`,
    )
      .bind(copy.uid, copy.name, world.task.metadata.uid)
      .run();
    await world.tick();
    expect(await dueAt({ metadata: copy })).toBe(await dueAt(world.task));
    await DB.prepare("UPDATE resources SET object = json_set(object, '$.spec.enabled', json('false')) WHERE uid = ?1")
      .bind(copy.uid)
      .run();
    expect(await dueAt({ metadata: copy })).toBeNull();
    await world.tick();
    expect((await world.read("copied")).status?.nextRuns).toEqual([]);
    await DB.prepare("DELETE FROM resources WHERE uid = ?1").bind(copy.uid).run();
    expect(await dueAt({ metadata: copy })).toBeUndefined();
    world.toNextHour();
    await world.tick();
    expect(await world.ports.executions.list({ taskUid: copy.uid }, 1)).toEqual([]);
    expect(await world.runs()).toHaveLength(1);
  });

  it("knows the tasks that were there before their times were kept", async () => {
    const world = await scheduled();
    await world.tick();
    const [sql = ""] = Object.values(migrations);
    const [adopt = ""] = /INSERT INTO sync_due[^;]*FROM resources[^;]*;/.exec(sql) ?? [];
    const before = await dueAt(world.task);
    await DB.batch([DB.prepare("DELETE FROM sync_due"), DB.prepare(adopt)]);
    expect(await dueAt(world.task)).toBe(before);
    world.toNextHour();
    await world.tick();
    expect(await world.runs()).toMatchObject([{ scheduledAt: before }]);
  });

  it("goes on when a clock that was ahead is set back", async () => {
    const world = await scheduled();
    await world.tick();
    const now = world.time.now;
    world.time.now = now + 400 * DAY;
    await world.tick();
    await world.settle();
    expect(await world.runs()).toHaveLength(1);
    world.time.now = now;
    await world.tick();
    expect(await dueAt(world.task)).toBe((Math.floor(now / HOUR) + 1) * HOUR);
    world.toNextHour();
    await world.tick();
    expect(await world.runs()).toHaveLength(2);
  });

  it("goes on in another step where more is due than one looks at, whatever fails", async () => {
    const world = await scheduled({ schedule: { interval: "1h" } });
    await world.tick();
    await DB.prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150)
       INSERT INTO resources (api_group, resource, namespace, name, uid, rv, object)
       SELECT api_group, resource, namespace, 't' || i, uid || i, rv,
         json_set(object, '$.metadata.uid', uid || i, '$.metadata.name', 't' || i)
       FROM resources, n WHERE uid = ?1`,
    )
      .bind(world.task.metadata.uid)
      .run();
    await DB.prepare("UPDATE sync_due SET look_at = -1, due_at = 0 WHERE name = 't7'").run();
    const { due } = world.ports;
    const settle = due.settle.bind(due);
    due.settle = async (row, ...given) => {
      if (row.name === "t7") throw new Error("no luck");
      await settle(row, ...given);
    };
    expect(await world.tick()).toBe(true);
    expect(await world.tick()).toBe(false);
    expect(await world.ports.due.toLookAt(world.time.now, 10)).toEqual([]);
    expect(await world.ports.due.toLookAt(world.time.now + MINUTE, 10)).toMatchObject([{ name: "t7" }]);
    await DB.prepare("DELETE FROM resources WHERE namespace = ?1").bind(world.namespace).run();
  });

  it("has a task show the end of a run, though whoever ended it was lost", async () => {
    const world = await scheduled({ enabled: false });
    const { id } = await world.run(world.task);
    await world.tick();
    await world.ports.executions.finish(id, "failed", "lost");
    expect((await world.read("app")).status?.lastExecution?.state).toBe("pending");
    await world.tick();
    expect((await world.read("app")).status?.lastExecution?.state).toBe("failed");
    expect(await world.ports.due.find(world.task.metadata.uid)).toMatchObject({ dueAt: null, lookAt: null });
  });
});

/** When a task is due next, as the database has it; `undefined` if it has no such task. */
async function dueAt({ metadata }: { readonly metadata: Pick<SyncTask["metadata"], "uid"> }) {
  const row = await DB.prepare("SELECT due_at AS at FROM sync_due WHERE task_uid = ?1")
    .bind(metadata.uid)
    .first<{ at: number | null }>();
  return row === null ? undefined : row.at;
}
