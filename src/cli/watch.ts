import { nextRuns, previousRun, type Schedule, type Sleep } from "../mirror/index.ts";

/** What keeping a schedule works with. */
export interface WatchPorts {
  readonly clock: () => number;
  readonly sleep: Sleep;
  readonly signal: AbortSignal;
  /** When the task was last started, in milliseconds since 1970; kept from process to process. */
  lastRun(): number | undefined;
  saveLastRun(time: number): void;
  announce(next: Date): void;
  run(): Promise<void>;
}

/** Clocks are set and machines sleep: the time is looked at this often, in milliseconds. */
const LOOK = 60_000;

/**
 * Runs a task whenever it is due, until the signal is aborted. A run is never started while another is on; runs that
 * were missed, also while nobody kept the schedule, are caught up with once. A task that was never run is run at once
 * if it has an interval, and at its first time if it has a cron expression.
 */
export async function keepSchedule(schedule: Schedule, ports: WatchPorts): Promise<void> {
  const started = ports.clock();
  if (ports.lastRun() === undefined && schedule.cron !== undefined) ports.saveLastRun(started);
  let announced: number | undefined;
  while (!ports.signal.aborted) {
    const now = ports.clock();
    const last = ports.lastRun();
    if (last === undefined || isMissed(schedule, last, now)) {
      ports.saveLastRun(now);
      await ports.run();
      continue;
    }
    const [next] = nextRuns(schedule, new Date(now), 1, new Date(last));
    if (next === undefined) return;
    if (announced !== next.getTime()) ports.announce(next);
    announced = next.getTime();
    try {
      await ports.sleep(Math.min(Math.max(next.getTime() - now, 1), LOOK), ports.signal);
    } catch (error) {
      if (!ports.signal.aborted) throw error;
    }
  }
}

function isMissed(schedule: Schedule, last: number, now: number): boolean {
  const due = previousRun(schedule, new Date(now), new Date(last));
  return due !== undefined && due.getTime() > last;
}
