import { ignoring } from "../../resources/index.ts";
import { withConditions } from "../kinds/condition.ts";
import { executionObject } from "../kinds/execution.ts";
import { SYNC_TASKS } from "../kinds/names.ts";
import type { SyncTask, SyncTaskSpec, SyncTaskStatus } from "../kinds/sync-task.ts";
import { executionName, type StoredExecution } from "../store/index.ts";
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
    ...(message === undefined ? {} : { message }),
  };
  const now = clock();
  await client()
    .updateStatus<SyncTaskSpec, SyncTaskStatus>(SYNC_TASKS, namespace, name, (current) => ({
      ...current.status,
      conditions: withConditions(current.status?.conditions, conditions, now),
      observedGeneration: generation,
      lastExecution,
    }))
    .catch(ignoring("NotFound"));
}
