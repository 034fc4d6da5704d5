import { ignoring } from "../../resources/index.ts";
import { timestamp } from "../kinds/condition.ts";
import { SYNC_TASKS } from "../kinds/names.ts";
import type { SyncTask, SyncTaskSpec, SyncTaskStatus } from "../kinds/sync-task.ts";
import { dueTime, upcomingRuns } from "../kinds/upcoming-runs.ts";
import { executionName } from "../store/index.ts";
import { showEnd } from "./show-run.ts";
import { startRun } from "./start-run.ts";
import type { SyncPorts } from "./sync-ports.ts";

/** Tasks read at a time. */
const PAGE = 500;

/**
 * Begins the runs that are due, each once whoever else looks at the same time. What was missed while nobody looked is
 * made up for by one run. A task that still runs is left out.
 */
export async function tick(ports: SyncPorts): Promise<void> {
  let token: string | undefined;
  do {
    const page = await ports.client().list<SyncTaskSpec, SyncTaskStatus>(SYNC_TASKS, {
      limit: PAGE,
      ...(token === undefined ? {} : { continue: token }),
    });
    for (const task of page.items) {
      try {
        await look(task, ports);
      } catch (error) {
        // One task must not hold up the others.
        ports.log.error("sync.tick-failed", { namespace: task.metadata.namespace, task: task.metadata.name, error });
      }
    }
    token = page.continue;
  } while (token !== undefined);
}

async function look(task: SyncTask, ports: SyncPorts): Promise<void> {
  if (task.metadata.deletionTimestamp !== undefined) return;
  const now = ports.clock();
  const due = dueTime(task, now);
  if (due !== undefined) await begin(task, due, ports);
  await showUpcoming(task, ports);
  await showEnd(task, ports);
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
export async function showUpcoming(
  task: SyncTask,
  { client, clock }: Pick<SyncPorts, "client" | "clock">,
): Promise<void> {
  const { namespace, name } = task.metadata;
  const upcoming = upcomingRuns(task, clock()).map((time) => timestamp(time.getTime()));
  const shown = task.status?.nextRuns ?? [];
  if (upcoming.length === shown.length && upcoming.every((time, index) => time === shown[index])) return;
  await client()
    .updateStatus<SyncTaskSpec, SyncTaskStatus>(SYNC_TASKS, namespace, name, (current) => ({
      ...current.status,
      nextRuns: upcomingRuns(current, clock()).map((time) => timestamp(time.getTime())),
    }))
    .catch(ignoring("NotFound"));
}
