import { nextRuns, previousRun } from "../../mirror/index.ts";
import type { SyncTask } from "./sync-task.ts";

/** How many times a task says that it will run. */
const UPCOMING = 3;

/** The next times after `after` (milliseconds) when a task is due; none if it has no schedule or is not enabled. */
export function upcomingRuns({ spec, metadata }: Pick<SyncTask, "spec" | "metadata">, after: number): readonly Date[] {
  if (spec?.schedule === undefined || !spec.enabled) return [];
  return nextRuns(spec.schedule, new Date(after), UPCOMING, anchorOf(metadata.creationTimestamp));
}

/**
 * The time for which a task is due now: the latest of its schedule, if `next` (milliseconds), the time that was worked out
 * for it before, is over. A task whose schedule is new, or that was just enabled, is not due for times before that.
 */
export function dueTime(
  { spec, metadata }: Pick<SyncTask, "spec" | "metadata">,
  next: number | null,
  now: number,
): number | undefined {
  if (spec?.schedule === undefined || !spec.enabled || next === null || next > now) return undefined;
  const anchor = anchorOf(metadata.creationTimestamp);
  const isOfSchedule = previousRun(spec.schedule, new Date(next), anchor)?.getTime() === next;
  return isOfSchedule ? previousRun(spec.schedule, new Date(now), anchor)?.getTime() : undefined;
}

/** Intervals are counted from when a task was made. */
function anchorOf(creation: string | undefined): Date {
  const time = Date.parse(creation ?? "");
  return new Date(Number.isNaN(time) ? 0 : time);
}
