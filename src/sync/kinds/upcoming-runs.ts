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
 * The time for which a task is due now: the latest of its schedule, if what it said it would do next is over. A task
 * whose schedule is new, or that was just enabled, is not due for times before that.
 */
export function dueTime({ spec, metadata, status }: SyncTask, now: number): number | undefined {
  const [first] = status?.nextRuns ?? [];
  if (spec?.schedule === undefined || !spec.enabled || first === undefined) return undefined;
  const next = Date.parse(first);
  const anchor = anchorOf(metadata.creationTimestamp);
  const isOfSchedule = previousRun(spec.schedule, new Date(next), anchor)?.getTime() === next;
  if (!isOfSchedule || next > now) return undefined;
  return previousRun(spec.schedule, new Date(now), anchor)?.getTime();
}

/** Intervals are counted from when a task was made. */
function anchorOf(creation: string | undefined): Date {
  const time = Date.parse(creation ?? "");
  return new Date(Number.isNaN(time) ? 0 : time);
}
