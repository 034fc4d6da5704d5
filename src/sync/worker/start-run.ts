import type { SyncTask } from "../kinds/sync-task.ts";
import type { Begun, NewExecution } from "../store/index.ts";
import { sendMessage } from "./messages.ts";
import { showRun } from "./show-run.ts";
import type { SyncPorts } from "./sync-ports.ts";

/** Begins a run of a task, unless one is active or its due time was claimed. */
export async function startRun(
  task: SyncTask,
  about: Omit<NewExecution, "namespace" | "task" | "taskUid">,
  ports: SyncPorts,
): Promise<Begun> {
  const { namespace = "", name, uid } = task.metadata;
  const begun = await ports.executions.begin({ ...about, namespace, task: name, taskUid: uid });
  if (begun.outcome !== "begun") return begun;
  const { execution } = begun;
  await sendMessage(ports.queue, { type: "plan", execution: execution.id });
  await showRun(task, execution, ports);
  await ports.hub.report(execution.id, {});
  return begun;
}
