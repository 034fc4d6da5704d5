import { expect, it, vi } from "vitest";
import { bindings } from "../bindings.ts";
import { countedDatabase } from "./counted-database.ts";
import { COPY_APP, syncWorld } from "./run-fixture.ts";

// Ten thousand items are written first.
vi.setConfig({ testTimeout: 600_000 });

const APP = "team/app";
const HOUR = 3_600_000;
/** Items that are copied while rows are counted. */
const COPIED = 20;

/** Rows that one run reads for each item: while it is planned, while some are copied, and when it ends. */
async function rowsRead(size: number) {
  const { database, counted } = countedDatabase(bindings.DB);
  const world = syncWorld({}, database);
  const { digest } = world.source.addImage(APP, { layers: ["one for all"], tag: "v0" });
  const tags = world.source.stored.get(APP)?.tags;
  for (let index = 1; index < size; index += 1) tags?.set(`v${index}`, digest);
  const task = await world.task("app", { ...COPY_APP, concurrency: 1 });
  const { id } = await world.run(task);
  const measured = async (work: () => Promise<unknown>): Promise<number> => {
    const before = counted.rows;
    await work();
    return counted.rows - before;
  };
  const planned = await measured(() => world.deliver(1));
  expect(await world.execution(id)).toMatchObject({ state: "running", itemsTotal: size });
  // All but the last are done: copying them, too, would take minutes.
  await bindings.DB.batch([
    bindings.DB.prepare(
      "UPDATE sync_items SET state = 'copied' WHERE execution = ?1 AND state = 'pending' AND id NOT IN (SELECT id FROM sync_items WHERE execution = ?1 ORDER BY id DESC LIMIT ?2)",
    ).bind(id, COPIED),
    bindings.DB.prepare("INSERT INTO sync_checks SELECT ?1, id, ?2 FROM sync_items WHERE execution = ?3").bind(
      task.metadata.uid,
      world.time.now,
      id,
    ),
  ]);
  const copied = await measured(() => world.settle());
  expect(await world.execution(id)).toMatchObject({ state: "succeeded", itemsFailed: 0 });
  return { planned: planned / size, copied: copied / COPIED };
}

/** Rows that the clock reads to begin the one run that is due, beside `others` tasks that are not. */
async function rowsOfTick(others: number): Promise<number> {
  const { database, counted } = countedDatabase(bindings.DB);
  const world = syncWorld({}, database);
  world.source.addImage(APP, { tag: "v1" });
  const task = await world.task("app", { ...COPY_APP, schedule: { interval: "1h" } });
  await world.tick();
  await bindings.DB.prepare(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
     INSERT INTO resources (api_group, resource, namespace, name, uid, rv, object)
     SELECT api_group, resource, namespace, 't' || i, uid || i, rv, object FROM resources, n WHERE uid = ?1`,
  )
    .bind(task.metadata.uid, others)
    .run();
  world.time.now += HOUR;
  const later = world.time.now + HOUR;
  await bindings.DB.prepare("UPDATE sync_due SET due_at = ?2, look_at = ?2 WHERE task_uid <> ?1")
    .bind(task.metadata.uid, later)
    .run();
  const before = counted.rows;
  expect(await world.tick()).toBe(false);
  const rows = counted.rows - before;
  expect(await world.ports.executions.list({ taskUid: task.metadata.uid }, 2)).toHaveLength(1);
  // A later test would begin a run of each of them.
  await bindings.DB.prepare("DELETE FROM resources WHERE resource = 'synctasks'").run();
  return rows;
}

it("of the clock does not grow with the tasks that are not due", async () => {
  const small = await rowsOfTick(100);
  const large = await rowsOfTick(10_000);
  // What the kind's own bookkeeping reads differs by a row or two.
  expect(large).toBeLessThan(small + 10);
});

it("does not grow with the run", async () => {
  const small = await rowsRead(100);
  const large = await rowsRead(10_000);
  expect(large.planned).toBeLessThan(1.5 * small.planned);
  expect(large.copied).toBeLessThan(1.5 * small.copied);
});
