import type { SyncPorts } from "./sync-ports.ts";

/** Each look is a query of the database, of which a message may make so many only. */
const POLL_MS = 2000;
/** Looks between two signs of life. */
const HEARTBEAT_EVERY = 5;

/** Somebody asked the run to stop, or it has ended. */
export class StoppedError extends Error {
  override readonly name = "StoppedError";
}

/** Ends work on a run when it is to stop. */
export interface RunWatch {
  readonly signal: AbortSignal;
  end(): void;
}

/**
 * Looks every two seconds whether a run is to stop, and says every ten that it lives.
 * @param renew says that more than the run lives; `false` ends the work
 */
export function watchRun(
  execution: number,
  { executions, log, pollInterval = POLL_MS }: SyncPorts,
  renew: () => Promise<boolean> = async () => true,
): RunWatch {
  const controller = new AbortController();
  let ended = false;
  let looks = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = async (): Promise<void> => {
    looks += 1;
    try {
      const isAlive = looks % HEARTBEAT_EVERY === 0;
      const goesOn = isAlive
        ? (await executions.heartbeat(execution)) && (await renew())
        : !(await executions.isStopping(execution));
      if (!goesOn && !ended) controller.abort(new StoppedError("the run is to stop"));
    } catch (error) {
      log.warn("sync.watch-failed", { execution, error });
    }
    if (!ended && !controller.signal.aborted) timer = setTimeout(() => void look(), pollInterval);
  };
  timer = setTimeout(() => void look(), pollInterval);
  return {
    signal: controller.signal,
    end() {
      ended = true;
      clearTimeout(timer);
    },
  };
}
