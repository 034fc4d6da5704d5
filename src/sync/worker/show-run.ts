import { ignoring } from "../../resources/index.ts";
import { withConditions } from "../kinds/condition.ts";
import { executionObject } from "../kinds/execution.ts";
import { SYNC_TASKS } from "../kinds/names.ts";
import type { SyncTask, SyncTaskSpec, SyncTaskStatus } from "../kinds/sync-task.ts";
import { executionName, isActive, parseExecutionName, type StoredExecution } from "../store/index.ts";
import type { SyncPorts } from "./sync-ports.ts";

/** Has the status of a task say where its latest run stands, as `kubectl get` and `kubectl wait` read it. */
export async function showRun(task: SyncTask, run: StoredExecution, { client, clock }: SyncPorts): Promise<void> {
  const { namespace, name, generation } = task.metadata;
  const object = executionObject(run);
  const { state, startedAt, endedAt, message } = object.status ?? { state: run.state };
  const conditions = (object.status?.conditions ?? []).map(({ type, status, reason, message: why }) => ({
    type,
    status,
    reason,
    ...(why === undefined ? {} : { message: why }),
    observedGeneration: generation,
  }));
  const lastExecution = {
    name: executionName(run),
    state,
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(run.tagsDeleted === 0 ? {} : { deleted: run.tagsDeleted }),
    ...(message === undefined ? {} : { message }),
  };
  const now = clock();
  await client()
    .updateStatus<SyncTaskSpec, SyncTaskStatus>(SYNC_TASKS, { namespace, name }, ({ status = {} }) => {
      if (isOlder(run, status)) return status;
      const shown = withConditions(status.conditions, conditions, now);
      return { ...status, conditions: shown, observedGeneration: generation, lastExecution };
    })
    .catch(ignoring("NotFound"));
}

/** Whether the status says more than the run: a short run may have ended before it is shown that it began. */
function isOlder(run: StoredExecution, { lastExecution: shown }: SyncTaskStatus): boolean {
  const id = shown === undefined ? undefined : parseExecutionName(shown.name)?.id;
  if (shown === undefined || id === undefined) return false;
  return id > run.id || (id === run.id && isActive(run) && !isActive({ state: shown.state }));
}

/** Has a task that says that it runs say what became of that run, if nobody was left to do it. */
export async function showEnd(task: SyncTask, ports: SyncPorts): Promise<void> {
  const shown = task.status?.lastExecution;
  const id = shown === undefined || !isActive({ state: shown.state }) ? undefined : parseExecutionName(shown.name)?.id;
  const run = id === undefined ? undefined : await ports.executions.get(id);
  if (run !== undefined && !isActive(run)) await showRun(task, run, ports);
}
