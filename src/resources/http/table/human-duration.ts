/** Units as printed, in seconds. */
const MINUTE = 60;
const HOUR = 3600;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/**
 * A duration as `kubectl get` shows it in an Age column: one unit, or two where one alone would hide too much.
 * @param milliseconds how long; a little less than nothing, as clocks differ, is nothing
 * @see k8s.io/apimachinery, pkg/util/duration
 */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000);
  if (Number.isNaN(seconds) || seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 2 * MINUTE) return `${seconds}s`;
  if (seconds < 10 * MINUTE) return pair(seconds, MINUTE, "m", 1, "s");
  if (seconds < 3 * HOUR) return whole(seconds, MINUTE, "m");
  if (seconds < 8 * HOUR) return pair(seconds, HOUR, "h", MINUTE, "m");
  if (seconds < 2 * DAY) return whole(seconds, HOUR, "h");
  if (seconds < 8 * DAY) return pair(seconds, DAY, "d", HOUR, "h");
  if (seconds < 2 * YEAR) return whole(seconds, DAY, "d");
  if (seconds < 8 * YEAR) return pair(seconds, YEAR, "y", DAY, "d");
  return whole(seconds, YEAR, "y");
}

function whole(seconds: number, unit: number, name: string): string {
  return `${Math.floor(seconds / unit)}${name}`;
}

function pair(seconds: number, unit: number, name: string, smaller: number, smallerName: string): string {
  const rest = Math.floor((seconds % unit) / smaller);
  return whole(seconds, unit, name) + (rest === 0 ? "" : `${rest}${smallerName}`);
}
