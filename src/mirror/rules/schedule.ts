import type { Cron } from "croner";
import { parseCron } from "./cron.ts";
import { parseDuration } from "./duration.ts";
import type { Schedule } from "./mirror-rules.ts";

/** The runs after a time, that time not included. An interval is counted from `anchor`. */
export function nextRuns(schedule: Schedule, after: Date, count: number, anchor = new Date(0)): readonly Date[] {
  const interval = intervalOf(schedule);
  if (interval !== undefined) {
    const first = Math.max(0, Math.floor((after.getTime() - anchor.getTime()) / interval) + 1);
    return Array.from({ length: count }, (_, index) => new Date(anchor.getTime() + (first + index) * interval));
  }
  return count < 1 ? [] : (cronOf(schedule)?.nextRuns(count, after) ?? []);
}

/** The last run at or before a time: what has to be caught up with if nothing ran since. `undefined` if there is none. */
export function previousRun(schedule: Schedule, before: Date, anchor = new Date(0)): Date | undefined {
  const interval = intervalOf(schedule);
  if (interval !== undefined) {
    const count = Math.floor((before.getTime() - anchor.getTime()) / interval);
    return count < 0 ? undefined : new Date(anchor.getTime() + count * interval);
  }
  // The library gives those before a time.
  return cronOf(schedule)?.previousRuns(1, new Date(before.getTime() + 1))[0];
}

function intervalOf({ interval }: Schedule): number | undefined {
  const duration = interval === undefined ? undefined : parseDuration(interval);
  return duration === 0 ? undefined : duration;
}

function cronOf({ cron, timeZone = "UTC" }: Schedule): Cron | undefined {
  const parsed = cron === undefined ? undefined : parseCron(cron, timeZone);
  return parsed?.ok === true ? parsed.value : undefined;
}
