import { type CronFields, parseCron, wallTimes } from "./cron.ts";
import { parseDuration } from "./duration.ts";
import type { Schedule } from "./mirror-rules.ts";
import { instantsOf, offsetAt } from "./time-zone.ts";

/** Longer than clocks are set forward or back by. */
const MARGIN = 3 * 3_600_000;

interface Due {
  readonly fields: CronFields;
  readonly zone: string;
}

/**
 * The runs after a time, that time not included. A time of day that the clock skips is run that much later, one that it
 * shows twice is run the first time only; but an expression with `*` as its hours runs by the time that passes. An
 * interval is counted from `anchor`. Fewer than `count` if the expression has no more within 41 years.
 */
export function nextRuns(schedule: Schedule, after: Date, count: number, anchor = new Date(0)): readonly Date[] {
  const interval = intervalOf(schedule);
  if (interval !== undefined) {
    const first = Math.max(0, Math.floor((after.getTime() - anchor.getTime()) / interval) + 1);
    return Array.from({ length: count }, (_, index) => new Date(anchor.getTime() + (first + index) * interval));
  }
  const due = dueOf(schedule);
  return due === undefined || count < 1 ? [] : upcoming(due, after.getTime(), count).map((time) => new Date(time));
}

/** The last run at or before a time: what has to be caught up with if nothing ran since. `undefined` if there is none. */
export function previousRun(schedule: Schedule, before: Date, anchor = new Date(0)): Date | undefined {
  const interval = intervalOf(schedule);
  if (interval !== undefined) {
    const count = Math.floor((before.getTime() - anchor.getTime()) / interval);
    return count < 0 ? undefined : new Date(anchor.getTime() + count * interval);
  }
  const due = dueOf(schedule);
  const time = due === undefined ? undefined : latest(due, before.getTime());
  return time === undefined ? undefined : new Date(time);
}

function intervalOf({ interval }: Schedule): number | undefined {
  const duration = interval === undefined ? undefined : parseDuration(interval);
  return duration === 0 ? undefined : duration;
}

function dueOf({ cron, timeZone }: Schedule): Due | undefined {
  const parsed = cron === undefined ? undefined : parseCron(cron);
  return parsed?.ok === true ? { fields: parsed.value, zone: timeZone ?? "UTC" } : undefined;
}

function upcoming(due: Due, after: number, count: number): readonly number[] {
  const found = new Set<number>();
  for (const wall of wallTimes(due.fields, wallAt(due, after) - slackAt(due, after), 1)) {
    const instants = runsAt(due, wall);
    for (const instant of instants) if (instant > after) found.add(instant);
    if (found.size < count) continue;
    // Near a change of the clock, later times of the wall clock may be earlier ones.
    const last = [...found].sort((a, b) => a - b)[count - 1] ?? 0;
    if (Math.min(...instants) > last + slackAt(due, last)) break;
    if (slackAt(due, last) === 0) break;
  }
  return [...found].sort((a, b) => a - b).slice(0, count);
}

function latest(due: Due, before: number): number | undefined {
  let found: number | undefined;
  for (const wall of wallTimes(due.fields, wallAt(due, before) + slackAt(due, before), -1)) {
    const instants = runsAt(due, wall);
    const fitting = instants.filter((instant) => instant <= before);
    if (fitting.length > 0) found = Math.max(found ?? Number.NEGATIVE_INFINITY, ...fitting);
    if (found === undefined) continue;
    const slack = slackAt(due, found);
    if (slack === 0 || Math.max(...instants) < found - slack) break;
  }
  return found;
}

function wallAt({ zone }: Due, instant: number): number {
  return instant + offsetAt(instant, zone);
}

function runsAt({ fields, zone }: Due, wall: number): readonly number[] {
  const instants = instantsOf(wall, zone);
  return fields.isEveryHour ? instants : [instants[0]];
}

/** How far the order of the wall clock may differ from that of time around an instant. */
function slackAt({ zone }: Due, instant: number): number {
  return offsetAt(instant - MARGIN, zone) === offsetAt(instant + MARGIN, zone) ? 0 : MARGIN;
}
