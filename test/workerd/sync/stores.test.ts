import { beforeEach, describe, expect, it } from "vitest";
import {
  type Begun,
  ExecutionStore,
  IdStore,
  ItemStore,
  LogStore,
  MemoryStore,
  type NewItem,
  type StoredExecution,
} from "../../../src/sync/index.ts";
import { CallMeter } from "../../../src/sync/worker/call-meter.ts";
import { runMemory } from "../../../src/sync/worker/run-memory.ts";
import { bindings } from "../bindings.ts";

const time = { now: 1_800_000_000_000 };
const clock = () => time.now;
const database = bindings.DB;
const executions = new ExecutionStore(database, clock);
const items = new ItemStore(database, clock);
const logs = new LogStore(database);
const memory = new MemoryStore(database, clock);
const ids = new IdStore(database);

let counter = 0;
let taskUid = "";

beforeEach(() => {
  counter += 1;
  taskUid = `store-task-${counter}`;
  time.now += 60_000;
});

const about = () => ({ namespace: "stores", task: "nightly", taskUid, cause: "manual", actor: "alice" }) as const;

function begun(result: Begun): StoredExecution {
  if (result.outcome !== "begun") throw new Error(result.outcome);
  return result.execution;
}

const begin = async (more: object = {}) => begun(await executions.begin({ ...about(), ...more }));

function item(tag: string, more: Partial<NewItem> = {}): NewItem {
  const targets = [{ registry: "local", repository: "mirror/app", tag }];
  return { repository: "library/app", tag, digest: `sha256:${tag}`, targets, state: "pending", ...more };
}

/** The latest due time of the task that was claimed. */
const claimed = async () =>
  bindings.DB.prepare("SELECT claimed_at FROM sync_schedules WHERE task_uid = ?1").bind(taskUid).first("claimed_at");

describe("executions", () => {
  it("begin once at a time", async () => {
    const results = await Promise.all(Array.from({ length: 8 }, () => executions.begin(about())));
    expect(results.map(({ outcome }) => outcome).toSorted()).toEqual(["begun", ...Array(7).fill("running")]);
    const first = results.find(({ outcome }) => outcome === "begun");
    const run = begun(first ?? { outcome: "claimed" });
    expect(await executions.active(taskUid)).toMatchObject({ id: run.id, state: "pending", actor: "alice" });
    await executions.finish(run.id, "succeeded");
    expect((await executions.begin(about())).outcome).toBe("begun");
  });

  it("claim a due time once, also when its run is gone", async () => {
    const due = { ...about(), cause: "schedule", scheduledAt: time.now } as const;
    const results = await Promise.all(Array.from({ length: 8 }, () => executions.begin(due)));
    expect(results.filter(({ outcome }) => outcome === "begun")).toHaveLength(1);
    expect(results.filter(({ outcome }) => outcome === "claimed")).toHaveLength(7);
    const run = await executions.active(taskUid);
    await executions.finish(run?.id ?? 0, "succeeded");
    expect(await executions.remove(run?.id ?? 0)).toBe(true);
    expect((await executions.begin(due)).outcome).toBe("claimed");
    expect((await executions.begin({ ...due, scheduledAt: due.scheduledAt - 60_000 })).outcome).toBe("claimed");
    expect(await claimed()).toBe(due.scheduledAt);
    expect((await executions.begin({ ...due, scheduledAt: due.scheduledAt + 60_000 })).outcome).toBe("begun");
  });

  it("claim the same times again after a clock that was ahead, but those that were run", async () => {
    const now = time.now;
    const due = (offset: number) => ({ ...about(), cause: "schedule", scheduledAt: now + offset }) as const;
    const run = async (offset: number) => {
      const started = await executions.begin(due(offset));
      if (started.outcome === "begun") await executions.finish(started.execution.id, "succeeded");
      return started.outcome;
    };
    time.now = now + 3_600_000;
    expect(await run(3_600_000)).toBe("begun");
    time.now = now;
    expect(await run(0)).toBe("begun");
    expect(await run(-60_000)).toBe("claimed");
    time.now = now + 3_600_000;
    expect(await run(60_000)).toBe("begun");
    expect(await run(3_600_000)).toBe("claimed");
  });

  it("leave a due time open while the task runs", async () => {
    const run = await begin();
    const due = { ...about(), cause: "schedule", scheduledAt: time.now } as const;
    expect(await executions.begin(due)).toMatchObject({ outcome: "running", execution: { id: run.id } });
    expect(await claimed()).toBeNull();
    await executions.finish(run.id, "succeeded");
    expect((await executions.begin(due)).outcome).toBe("begun");
  });

  it("end once, and cancel what is left", async () => {
    const run = await begin();
    await items.insert(run.id, [item("v1"), item("v2")]);
    expect(await executions.setState(run.id, "running")).toBe(true);
    const ended = await executions.finish(run.id, "canceled", "stopped");
    expect(ended).toMatchObject({ state: "canceled", error: "stopped", endedAt: time.now });
    time.now += 1000;
    expect(await executions.finish(run.id, "succeeded")).toBeUndefined();
    expect(await executions.setState(run.id, "running")).toBe(false);
    expect(await executions.get(run.id)).toMatchObject({ state: "canceled", endedAt: time.now - 1000 });
    expect(await items.counts(run.id)).toEqual({ canceled: 2 });
  });

  it("count by deltas, without losing any", async () => {
    const run = await begin();
    await Promise.all(Array.from({ length: 20 }, () => executions.count(run.id, { blobsCopied: 1, bytesCopied: 10 })));
    await executions.count(run.id, { bytesTotal: 500, blobsTotal: 0 });
    expect(await executions.get(run.id)).toMatchObject({ blobsCopied: 20, bytesCopied: 200, bytesTotal: 500 });
  });

  it("tell a runner to stop, and of a run that nobody runs", async () => {
    const run = await begin();
    expect(await executions.heartbeat(run.id)).toBe(true);
    expect(await executions.isStopping(run.id)).toBe(false);
    time.now += 30_000;
    const stale = async () => (await executions.stale(time.now - 30_000 + 1, 1000)).some(({ id }) => id === run.id);
    expect(await stale()).toBe(true);
    expect(await executions.requestStop(run.id)).toMatchObject({ stopRequested: true });
    expect(await executions.heartbeat(run.id)).toBe(false);
    expect(await stale()).toBe(false);
    expect(await executions.isStopping(run.id)).toBe(true);
    await executions.finish(run.id, "canceled");
    expect(await executions.requestStop(run.id)).toBeUndefined();
  });

  it("forget what was announced by workers that were lost", async () => {
    const run = await begin();
    await executions.count(run.id, {
      blobsTotal: 3,
      blobsCopied: 1,
      blobsSkipped: 1,
      bytesTotal: 500,
      bytesCopied: 120,
    });
    expect(await executions.markResumed(run.id, 1000)).toBe(1);
    expect(await executions.get(run.id)).toMatchObject({ blobsTotal: 2, bytesTotal: 120 });
    const { heartbeatAt } = (await executions.get(run.id)) ?? { heartbeatAt: 0 };
    expect(await executions.markResumed(run.id, 1000)).toBe(2);
    expect((await executions.get(run.id))?.heartbeatAt).toBe(heartbeatAt + 1000);
    await items.insert(run.id, [item("v1")]);
    expect(await executions.markResumed(run.id, 1000)).toBe(1);
  });

  it("are listed with the newest first, by filters and pages", async () => {
    const made: number[] = [];
    for (const state of ["succeeded", "failed", "succeeded"] as const) {
      const run = await begin();
      made.unshift(run.id);
      await executions.finish(run.id, state);
    }
    const listed = async (query: object, limit = 10, offset = 0) =>
      (await executions.list({ taskUid, ...query }, limit, offset)).map(({ id }) => id);
    expect(await listed({})).toEqual(made);
    expect(await listed({}, 1, 1)).toEqual(made.slice(1, 2));
    expect(await listed({ states: ["failed"] })).toEqual(made.slice(1, 2));
    expect(await listed({ before: made[0] })).toEqual(made.slice(1));
    expect(await executions.totals({ taskUid })).toEqual({ succeeded: 2, failed: 1 });
  });

  it("tell what changed after a version, deletions included", async () => {
    const { rv } = await executions.version();
    const run = await begin();
    await executions.heartbeat(run.id);
    const [made] = await executions.changedSince(rv, { taskUid }, 10);
    expect(made).toMatchObject({ id: run.id, state: "pending" });
    expect(await executions.changedSince(made?.rv ?? 0, { taskUid }, 10)).toEqual([]);
    await executions.finish(run.id, "failed");
    await executions.remove(run.id);
    const [gone] = await executions.changedSince(made?.rv ?? 0, { taskUid }, 10);
    expect(gone).toMatchObject({ id: run.id, deletedAt: time.now });
    expect(await executions.get(run.id)).toBeUndefined();
    expect(await executions.remove(run.id)).toBe(false);
  });

  it("are pruned by age, and stay known to watches for a while", async () => {
    const old = await begin();
    await items.insert(old.id, [item("v1")]);
    await logs.append(old.id, [{ at: time.now, level: "info", message: "hello" }]);
    await executions.finish(old.id, "succeeded");
    time.now += 1000;
    const last = await begin();
    await executions.finish(last.id, "succeeded");
    await executions.prune(time.now, 0, 1000);
    expect(await executions.changedSince(0, { id: old.id }, 10)).toMatchObject([{ deletedAt: time.now }]);
    expect((await executions.list({ taskUid }, 10)).map(({ id }) => id)).toEqual([last.id]);
    const { rv } = await executions.version();
    time.now += 1000;
    await executions.prune(0, time.now, 1000);
    expect(await executions.changedSince(0, { id: old.id }, 10)).toEqual([]);
    expect(await items.counts(old.id)).toEqual({});
    expect((await executions.version()).pruned).toBeLessThanOrEqual(rv);
    expect((await executions.version()).pruned).toBeGreaterThan(0);
  });

  it("stay if they are the latest of their task", async () => {
    const old = await begin();
    await executions.finish(old.id, "succeeded");
    const last = await begin();
    await executions.finish(last.id, "failed");
    time.now += 1000;
    await executions.prune(time.now, 0, 1000);
    expect((await executions.list({ taskUid }, 10)).map(({ id }) => id)).toEqual([last.id]);
  });

  it("are dropped piece by piece, however many items they have", async () => {
    const old = await begin();
    await items.insert(old.id, [item("v1"), item("v2"), item("v3")]);
    await executions.finish(old.id, "succeeded");
    await executions.remove(old.id);
    await database
      .prepare(
        "INSERT INTO sync_items (execution, repository, tag, digest, targets, state) VALUES (?1, 'a', '1', '', '[]', 'copied'), (?1, 'a', '2', '', '[]', 'copied'), (?1, 'a', '3', '', '[]', 'copied')",
      )
      .bind(old.id)
      .run();
    time.now += 1000;
    expect(await executions.prune(0, time.now, 2)).toBe(true);
    expect(await executions.changedSince(0, { id: old.id }, 10)).toHaveLength(1);
    while (await executions.prune(0, time.now, 2));
    expect(await executions.changedSince(0, { id: old.id }, 10)).toEqual([]);
  });

  it("go with their task", async () => {
    const ended = await begin();
    await executions.finish(ended.id, "succeeded");
    const active = await begin({ cause: "schedule", scheduledAt: time.now });
    await executions.removeTask(taskUid);
    expect(await executions.get(ended.id)).toBeUndefined();
    expect(await executions.get(active.id)).toMatchObject({ stopRequested: true, state: "pending" });
    expect(await claimed()).toBeNull();
  });
});

describe("items", () => {
  it("are planned once, however often the plan is made", async () => {
    const run = await begin();
    const plan = [item("v1"), item("v2", { state: "unchanged" }), item("v3", { state: "conflict", error: "differs" })];
    expect(await items.insert(run.id, [...plan, item("v1")])).toBe(3);
    expect(await items.insert(run.id, [...plan, item("v4", { state: "skipped" })])).toBe(1);
    expect(await executions.get(run.id)).toMatchObject({
      itemsTotal: 4,
      itemsUnchanged: 1,
      itemsSkipped: 1,
      itemsFailed: 1,
    });
    expect(await items.counts(run.id)).toEqual({ pending: 1, unchanged: 1, conflict: 1, skipped: 1 });
    expect((await items.failed(run.id, 10)).map(({ tag, error }) => [tag, error])).toEqual([["v3", "differs"]]);
  });

  it("are not added to a run that has ended", async () => {
    const run = await begin();
    await executions.finish(run.id, "canceled");
    expect(await items.insert(run.id, [item("v1")])).toBe(0);
    expect(await executions.get(run.id)).toMatchObject({ itemsTotal: 0 });
    expect(await items.counts(run.id)).toEqual({});
  });

  it("are inserted by the thousand", async () => {
    const run = await begin();
    const many = Array.from({ length: 2000 }, (_, index) => item(`v${index}`));
    expect(await items.insert(run.id, many)).toBe(2000);
    expect(await executions.get(run.id)).toMatchObject({ itemsTotal: 2000 });
    expect((await items.list(run.id, { limit: 3, after: 0 })).map(({ tag }) => tag)).toEqual(["v0", "v1", "v2"]);
  });

  it("are leased to one worker each, and to another when it is silent", async () => {
    const run = await begin();
    await items.insert(run.id, [item("v1"), item("v2"), item("v3")]);
    const leased = await Promise.all(Array.from({ length: 5 }, () => items.leaseNext(run.id, 10_000)));
    expect(
      leased
        .flat()
        .map(({ tag }) => tag)
        .toSorted(),
    ).toEqual(["v1", "v2", "v3"]);
    const first = leased.flat().find(({ tag }) => tag === "v1");
    const id = first?.id ?? 0;
    expect(await items.lease(id, 10_000)).toBeUndefined();
    time.now += 5000;
    expect(await items.renew(id, 10_000)).toBe(true);
    time.now += 6000;
    expect((await items.leaseNext(run.id, 10_000, 10)).map(({ tag }) => tag)).toEqual(["v2", "v3"]);
    time.now += 6000;
    expect(await items.lease(id, 10_000)).toMatchObject({ tag: "v1", attempts: 2, state: "copying" });
  });

  it("wait as long as they are put off, without an attempt counted unless it failed", async () => {
    const run = await begin();
    await items.insert(run.id, [item("v1")]);
    const [leased] = await items.leaseNext(run.id, 10_000);
    const id = leased?.id ?? 0;
    await items.release(id, 5000, { isFailure: false });
    expect(await items.leaseNext(run.id, 10_000)).toEqual([]);
    expect(await items.nextDue(run.id)).toBe(time.now + 5000);
    time.now += 5000;
    expect(await items.lease(id, 10_000)).toMatchObject({ attempts: 1 });
    await items.release(id, 0, { isFailure: true, error: "503" });
    expect(await items.lease(id, 10_000)).toMatchObject({ attempts: 2, error: "503" });
  });

  it("end once, and count once", async () => {
    const run = await begin();
    await items.insert(run.id, [item("v1"), item("v2"), item("v3")]);
    const leased = await items.leaseNext(run.id, 10_000, 3);
    const [a = 0, b = 0, c = 0] = leased.map(({ id }) => id);
    const ended = await Promise.all(Array.from({ length: 4 }, () => items.finish(a, { state: "copied", bytes: 7 })));
    expect(ended.filter(Boolean)).toHaveLength(1);
    expect(await items.finish(b, { state: "failed", errorClass: "denied", error: "401" })).toBe(true);
    expect(await items.finish(b, { state: "copied" })).toBe(false);
    expect(await items.finish(c, { state: "conflict" })).toBe(true);
    expect(await executions.get(run.id)).toMatchObject({ itemsTotal: 3, itemsCopied: 1, itemsFailed: 2 });
    expect(await items.get(b)).toMatchObject({ state: "failed", errorClass: "denied", error: "401" });
    expect(await items.nextDue(run.id)).toBeUndefined();
  });

  it("are not begun any more when their run is to stop", async () => {
    const run = await begin();
    await items.insert(run.id, [item("v1"), item("v2")]);
    const [leased] = await items.leaseNext(run.id, 10_000);
    await executions.requestStop(run.id);
    expect(await items.leaseNext(run.id, 10_000)).toEqual([]);
    expect(await items.renew(leased?.id ?? 0, 10_000)).toBe(false);
  });
});

describe("logs", () => {
  it("are paged in their order", async () => {
    const run = await begin();
    const lines = Array.from({ length: 5 }, (_, index) => ({
      at: time.now + index,
      level: "info" as const,
      message: `line ${index}`,
    }));
    const written = await logs.append(run.id, lines);
    expect(written.map(({ message }) => message)).toEqual(lines.map(({ message }) => message));
    expect((await logs.list(run.id, { offset: 1, limit: 2 })).map(({ message }) => message)).toEqual([
      "line 1",
      "line 2",
    ]);
    const after = written[2]?.id ?? 0;
    expect((await logs.list(run.id, { after, limit: 10 })).map(({ message }) => message)).toEqual(["line 3", "line 4"]);
    expect(await logs.total(run.id)).toBe(5);
    await logs.append(run.id, [{ at: time.now, level: "error", message: "broken" }]);
    expect(await logs.list(run.id, { level: "warn", limit: 1 })).toMatchObject([{ message: "broken" }]);
    expect(await logs.total(run.id, "warn")).toBe(1);
    expect(await logs.append(run.id, [])).toEqual([]);
  });
});

describe("what runs remember", () => {
  it("is positions of uploads", async () => {
    const key = { origin: "local:", repository: "app", digest: "sha256:a" };
    expect(await memory.checkpoint(taskUid, key)).toBeUndefined();
    await memory.saveCheckpoint(taskUid, key, { location: "https://r/u/1", offset: 5 }, 1);
    await memory.saveCheckpoint(taskUid, key, { location: "https://r/u/2", offset: 9 }, 1);
    expect(await memory.checkpoint(taskUid, key)).toEqual({ location: "https://r/u/2", offset: 9 });
    await memory.removeCheckpoint(taskUid, key);
    expect(await memory.checkpoint(taskUid, key)).toBeUndefined();
  });

  it("is positions of uploads, each task its own", async () => {
    const of = (uid: string) =>
      runMemory({ id: 1, taskUid: uid }, "https://r", "few", { memory, clock, meter: new CallMeter() }).checkpoints;
    const blob = { origin: "https://mirror", repository: "app", digest: "sha256:a" };
    const [one, other] = [of(taskUid), of(`${taskUid}-other`)];
    await one.save(blob, { location: "https://r/u/1", offset: 5 });
    expect(await other.load(blob)).toBeUndefined();
    await other.save(blob, { location: "https://r/u/2", offset: 9 });
    await other.remove(blob);
    expect(await of(taskUid).load(blob)).toEqual({ location: "https://r/u/1", offset: 5 });
  });

  it("is digests, looks and times", async () => {
    const [at, origin] = [{ target: "local", repository: "mirror/app", digest: "sha256:a" }, `https://r-${counter}`];
    await memory.saveWritten(taskUid, at, "sha256:b");
    expect(await memory.written(taskUid, 10)).toEqual([{ ...at, written: "sha256:b", at: time.now }]);
    await memory.saveChecked(taskUid, { task: "copy", repository: "app", digest: "sha256:a" });
    expect(await memory.checkedSince(taskUid, time.now - 1, 10)).toEqual(["copy|app|sha256:a"]);
    expect(await memory.checkedSince(taskUid, time.now, 10)).toEqual([]);
    await memory.saveCreated(origin, "sha256:a", 5);
    expect(await memory.created(origin, 10)).toEqual([{ digest: "sha256:a", created: 5, at: time.now }]);
    time.now += 1000;
    expect(await memory.prune(time.now, 1)).toBe(true);
    expect(await memory.prune(time.now, 1000)).toBe(false);
    expect(await memory.written(taskUid, 10)).toEqual([]);
    expect(await memory.created(origin, 10)).toEqual([]);
    expect(await memory.checkedSince(taskUid, 0, 10)).toEqual([]);
  });
});

describe("numbers", () => {
  it("are given once, also by many at a time", async () => {
    const hub = { namespace: "stores", name: `hub-${counter}` };
    const quay = { namespace: "stores", name: `quay-${counter}` };
    const given = await Promise.all(Array.from({ length: 4 }, () => ids.idsOf("registry", [hub, quay])));
    const [first = []] = given;
    expect(first[0]).not.toBe(first[1]);
    for (const other of given) expect(other).toEqual(first);
    expect(await ids.find("registry", first[1] ?? 0)).toEqual(quay);
    expect(await ids.find("task", first[1] ?? 0)).toBeUndefined();
    await ids.remove("registry", hub);
    expect(await ids.idOf("registry", hub)).toBeGreaterThan(first[1] ?? 0);
  });
});
