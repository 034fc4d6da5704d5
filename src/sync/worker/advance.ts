import { isActive, type StoredExecution, type StoredItem } from "../store/index.ts";
import { endRun } from "./end-run.ts";
import { type SyncMessage, sendMessage, sendMessages } from "./messages.ts";
import { taskOf } from "./open-run.ts";
import type { SyncPorts } from "./sync-ports.ts";

/** For how long an item is taken for a message that is on its way, in milliseconds. */
const SENT_LEASE = 2 * 60_000;
/** How often a copy may end without a word, besides the attempts of the task. */
const MAX_SILENT = 5;
/** Shorter waits are not worth a message, in milliseconds. */
const SHORT = 1000;

/** What a call of `advance` may do besides sending messages. */
export interface AdvanceOptions {
  /** The caller copies one item itself. */
  readonly takesOne?: boolean;
}

/**
 * Hands out what is due, as many items as the task copies at once; goes on to the end when nothing is left. Answers the
 * item that the caller copies, if it takes one.
 */
export async function advance(
  execution: number,
  ports: SyncPorts,
  { takesOne = false }: AdvanceOptions = {},
): Promise<StoredItem | undefined> {
  const { executions, items, queue } = ports;
  const run = await executions.get(execution);
  if (run === undefined || !isActive(run)) return undefined;
  const live = await items.live(execution);
  if (run.stopRequested) {
    if (live === 0) await sendMessage(queue, { type: "finish", execution });
    return undefined;
  }
  const task = await taskOf(run, ports);
  if (task?.spec === undefined) {
    await endRun(run, ports, { state: "canceled", error: "the task is gone" });
    return undefined;
  }
  const leased = await leaseItems(run, task.spec.concurrency - live, task.spec.retry.attempts, ports);
  await executions.heartbeat(execution);
  const [own, ...others] = takesOne ? leased : [undefined, ...leased];
  const messages = others.flatMap((item) => (item === undefined ? [] : [copyMessage(item)]));
  if (messages.length > 0) await sendMessages(queue, messages);
  if (live + leased.length === 0) await scheduleNext(run, task.spec.prune.enabled, ports);
  return own;
}

/** Takes items that are due, and fails those whose copies ended without a word too often. */
async function leaseItems(
  { id }: StoredExecution,
  free: number,
  attempts: number,
  { items, hub, clock }: SyncPorts,
): Promise<readonly StoredItem[]> {
  const taken: StoredItem[] = [];
  while (taken.length < free) {
    const leased = await items.leaseNext(id, SENT_LEASE, free - taken.length);
    if (leased.length === 0) break;
    for (const item of leased) {
      if (item.attempts <= attempts + MAX_SILENT) {
        taken.push(item);
        continue;
      }
      const error = `its copy ended ${item.attempts - 1} times without a word${item.error === null ? "" : `: ${item.error}`}`;
      await items.finish(item.id, { state: "failed", errorClass: "transient", error });
      const message = `${item.repository}:${item.tag}: ${error}`;
      await hub.report(id, { lines: [{ at: clock(), level: "error", message }] });
    }
  }
  return taken;
}

/** Nothing is on its way: waits for what is not due yet, or goes on to the end if the plan is complete. */
async function scheduleNext({ id, state, onlyFailedOf, tags }: StoredExecution, prunes: boolean, ports: SyncPorts) {
  const { executions, items, queue, clock } = ports;
  const due = await items.nextDue(id);
  if (due !== undefined) {
    const wait = Math.max(due - clock(), SHORT);
    await executions.deferUntil(id, clock() + wait);
    await sendMessage(queue, { type: "advance", execution: id }, wait);
    return;
  }
  if (state !== "running") return;
  const isWhole = onlyFailedOf === null && tags === null;
  await sendMessage(queue, { type: prunes && isWhole ? "prune" : "finish", execution: id });
}

function copyMessage({ execution, id, attempts }: StoredItem): SyncMessage {
  return { type: "copy", execution, item: id, attempt: attempts };
}
