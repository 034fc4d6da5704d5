import { executionName, type StoredExecution } from "../store/index.ts";
import { endRun } from "./end-run.ts";
import { sendMessage } from "./messages.ts";
import type { SyncPorts } from "./sync-ports.ts";

/** A run that gave no sign of life for this long, in milliseconds, has lost whoever worked on it. */
const SILENCE = 30_000;
/** How often a run is begun again in vain before it is given up. */
const MAX_RESUMES = 20;
/** Runs looked at in one go. */
const MAX_RUNS = 100;
/** Rows of a table that are deleted in one go. */
const PRUNE_ROWS = 5000;
/** How much longer a run may be silent each time it was gone on with in vain, in milliseconds. */
const PATIENCE = 60_000;
/** How long runs remember what is of no use to any, in milliseconds: longer than the time between two of them. */
const MEMORY_KEPT = 90 * 24 * 3_600_000;
/** How long runs that were deleted are told of to watches, in milliseconds. */
const DELETED_KEPT = 3_600_000;

/**
 * Goes on with runs whose messages were lost, as in a crash or a restart, from what is in the database: what was planned
 * stays, what was copied stays, and large layers go on from their last saved position.
 */
export async function resumeSilent(ports: SyncPorts): Promise<void> {
  const { executions, queue, hub, clock, log } = ports;
  for (const run of await executions.stale(clock() - SILENCE, MAX_RUNS)) {
    const resumes = await executions.markResumed(run.id, PATIENCE);
    if (resumes === undefined) continue;
    log.warn("sync.run-resumed", { execution: run.id, resumes });
    if (resumes > MAX_RESUMES && !run.stopRequested) {
      const error = `it was begun again ${MAX_RESUMES} times, and went silent each time`;
      await endRun(run, ports, { state: "failed", error });
      continue;
    }
    const message = `${executionName(run)} went silent and is gone on with`;
    await hub.report(run.id, { lines: [{ at: clock(), level: "warn", message }] });
    await sendMessage(queue, { type: nextStep(run), execution: run.id });
  }
}

function nextStep({ state, stopRequested }: StoredExecution): "plan" | "advance" | "finish" {
  if (stopRequested) return "finish";
  return state === "running" ? "advance" : "plan";
}

/** Forgets old runs and what they remember. Answers whether there is more. */
export async function forgetOld({ executions, memory, clock }: SyncPorts, retention: number): Promise<boolean> {
  const before = clock() - retention;
  const hasMoreRuns = await executions.prune(before, clock() - DELETED_KEPT, PRUNE_ROWS);
  const hasMore = await memory.prune(clock() - MEMORY_KEPT, PRUNE_ROWS);
  return hasMoreRuns || hasMore;
}
