import { ignoring } from "../../resources/index.ts";
import { timestamp } from "../kinds/condition.ts";
import { SYNC_TASKS } from "../kinds/names.ts";
import type { SyncTask, SyncTaskSpec, SyncTaskStatus } from "../kinds/sync-task.ts";
import { dueTime, upcomingRuns } from "../kinds/upcoming-runs.ts";
import { executionName, type TaskDue } from "../store/index.ts";
import { taskOf } from "./open-run.ts";
import { showEnd } from "./show-run.ts";
import { startRun } from "./start-run.ts";
import type { SyncPorts } from "./sync-ports.ts";

/** Tasks that one tick looks at: each costs a few queries, and an invocation may make a thousand. */
const TASKS = 100;

/** How long a task waits that could not be looked at, in milliseconds. */
const POSTPONED = 50_000;

/**
 * Begins runs that are due, each once whoever else looks at the same time. What was missed while nobody looked is made up
 * for by one run. A task that still runs is left out. Answers whether there may be more to look at.
 */
export async function tick(ports: SyncPorts): Promise<boolean> {
  const { clock, due, log } = ports;
  const rows = await due.toLookAt(clock(), TASKS);
  for (const row of rows) {
    try {
      await look(row, ports);
    } catch (error) {
      // One task must not hold up the others.
      log.error("sync.tick-failed", { namespace: row.namespace, task: row.name, error });
      await due.postpone(row.taskUid, clock() + POSTPONED);
    }
  }
  return rows.length === TASKS;
}

async function look(row: TaskDue, ports: SyncPorts): Promise<void> {
  const task = await taskOf({ ...row, task: row.name }, ports);
  const now = ports.clock();
  if (task === undefined) return ports.due.settle(row, undefined, now);
  const time = dueTime(task, row.dueAt, now);
  if (time !== undefined) await begin(task, time, ports);
  await showUpcoming(task, ports);
  await showEnd(task, ports);
  await settle(row, task, ports);
}

/** Has a task that is new, or another than before, say when it is due next. */
export async function reschedule(task: SyncTask, ports: Pick<SyncPorts, "client" | "clock" | "due">): Promise<void> {
  const row = await ports.due.find(task.metadata.uid);
  await showUpcoming(task, ports);
  // A time that has come is the clock's to see to.
  const isDue = row !== undefined && row.dueAt !== null && row.dueAt <= ports.clock();
  if (row !== undefined && !isDue) await settle(row, task, ports);
}

/** Last, so that what failed before it is done again. */
async function settle(row: TaskDue, task: SyncTask, { clock, due }: Pick<SyncPorts, "clock" | "due">): Promise<void> {
  const now = clock();
  await due.settle(row, upcomingRuns(task, now)[0]?.getTime(), now);
}

async function begin(task: SyncTask, scheduledAt: number, ports: SyncPorts): Promise<void> {
  const { hub, clock, log } = ports;
  const { namespace = "", name } = task.metadata;
  const begun = await startRun(task, { cause: "schedule", actor: "system:sync", scheduledAt }, ports);
  if (begun.outcome !== "running") return;
  const due = new Date(scheduledAt).toISOString();
  const message = `the run that was due at ${due} is left out: ${executionName(begun.execution)} is not done`;
  log.warn("sync.run-skipped", { namespace, task: name, due });
  await hub.report(begun.execution.id, { lines: [{ at: clock(), level: "warn", message }] });
}

/** Has the status of a task say when it is due next. Written when it is something else than before. */
async function showUpcoming(task: SyncTask, { client, clock }: Pick<SyncPorts, "client" | "clock">): Promise<void> {
  const { namespace, name } = task.metadata;
  const upcoming = upcomingRuns(task, clock()).map((time) => timestamp(time.getTime()));
  const shown = task.status?.nextRuns ?? [];
  if (upcoming.length === shown.length && upcoming.every((time, index) => time === shown[index])) return;
  await client()
    .updateStatus<SyncTaskSpec, SyncTaskStatus>(SYNC_TASKS, { namespace, name }, (current) => ({
      ...current.status,
      nextRuns: upcomingRuns(current, clock()).map((time) => timestamp(time.getTime())),
    }))
    .catch(ignoring("NotFound"));
}
