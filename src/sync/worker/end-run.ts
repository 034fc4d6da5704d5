import { type EndState, executionName, isActive, type StoredExecution } from "../store/index.ts";
import { taskOf } from "./open-run.ts";
import { showRun } from "./show-run.ts";
import type { SyncPorts } from "./sync-ports.ts";

/** How a run ends. */
export interface RunEnd {
  readonly state: EndState;
  readonly error?: string;
}

/** Ends a run by what became of its items. @param execution its id */
export async function finishRun(execution: number, ports: SyncPorts): Promise<void> {
  const run = await ports.executions.get(execution);
  if (run === undefined || !isActive(run)) return;
  await endRun(run, ports, await endOf(run, ports));
}

/** Ends a run: its state, that of its task, the live channel, and those who want to know. The first end counts. */
export async function endRun({ id }: StoredExecution, ports: SyncPorts, { state, error }: RunEnd): Promise<void> {
  const { executions, hub, clock, notify, log } = ports;
  // Numbers that are on their way belong to the run.
  await hub.tell(id);
  const ended = await executions.finish(id, state, error);
  if (ended === undefined) return;
  const level = state === "failed" || state === "partial" ? "error" : "info";
  await hub.report(id, { lines: [{ at: clock(), level, message: endMessage(ended) }] });
  await hub.tell(id);
  const task = await taskOf(ended, ports);
  if (task === undefined) {
    // The runs of a task go with it.
    await executions.remove(id);
    return;
  }
  await showRun(task, ended, ports);
  try {
    await notify(ended, task);
  } catch (cause) {
    log.error("sync.notify-failed", { execution: id, error: cause });
  }
}

async function endOf(run: StoredExecution, { items }: SyncPorts): Promise<RunEnd> {
  if (run.stopRequested) return { state: "canceled" };
  // Counted with each item that ended: looking at all of them would cost a large run as many reads.
  const { itemsFailed: bad, itemsCopied, itemsUnchanged, itemsSkipped, tagsDeleted } = run;
  // Deletions are work that was done, too.
  const done = itemsCopied + tagsDeleted;
  const good = done + itemsUnchanged + itemsSkipped;
  if (bad === 0) return { state: done > 0 || (run.dryRun && itemsSkipped > 0) ? "succeeded" : "unchanged" };
  const [first] = await items.failed(run.id, 1);
  const place = first === undefined ? "" : [first.repository, first.tag].filter((part) => part !== "").join(":");
  const what = first === undefined ? "" : `; ${place === "" ? "" : `${place}: `}${first.error ?? "failed"}`;
  return { state: good > 0 ? "partial" : "failed", error: `${bad} of ${bad + good} failed${what}` };
}

function endMessage(run: StoredExecution): string {
  const { itemsCopied, itemsUnchanged, itemsSkipped, itemsFailed, tagsDeleted, bytesCopied } = run;
  const counts = `${itemsCopied} copied, ${itemsUnchanged} unchanged, ${itemsSkipped} skipped, ${itemsFailed} failed, ${tagsDeleted} deleted`;
  const why = run.error === null ? "" : `: ${run.error}`;
  return `${executionName(run)} ended as ${run.state}: ${counts}, ${bytesCopied} bytes${why}`;
}
