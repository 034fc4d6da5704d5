const DAY = 86_400_000;

/** More than there are zones; other spellings of them must not make it grow without bound. */
const CACHED_ZONES = 700;
const formats = new Map<string, Intl.DateTimeFormat>();

/** What is wrong with the name of a time zone, if anything. */
export function timeZoneProblem(zone: string): string | undefined {
  const problem = "must be the name of a time zone, such as Europe/Berlin or UTC";
  if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(zone)) return problem;
  try {
    formatOf(zone);
    return undefined;
  } catch {
    return problem;
  }
}

/** How far the wall clock of a zone is ahead of UTC at an instant, both in milliseconds. */
export function offsetAt(instant: number, zone: string): number {
  if (zone === "UTC") return 0;
  const parts = new Map(
    formatOf(zone)
      .formatToParts(instant)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? 0;
  const wall = Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"));
  return wall - Math.floor(instant / 1000) * 1000;
}

/**
 * The instants at which the wall clock of a zone shows a time, which is given as if it were UTC: two where the clock is
 * set back, the earlier first. A time that is left out where the clock is set forward stands for the one that much
 * later: 02:30 for 03:30.
 */
export function instantsOf(wall: number, zone: string): readonly [number] | readonly [number, number] {
  const before = offsetAt(wall - DAY, zone);
  const after = offsetAt(wall + DAY, zone);
  const isShown = (offset: number) => offsetAt(wall - offset, zone) === offset;
  if (before === after || !isShown(after)) return [wall - before];
  return isShown(before) ? [wall - before, wall - after] : [wall - after];
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  if (formats.size >= CACHED_ZONES) formats.clear();
  formats.set(zone, format);
  return format;
}
