const UNITS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;
const DURATION = /^(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?(?:(\d{1,6})ms)?$/;

/** Ten years: what is longer is a mistake. */
const MAX_DURATION = 3650 * UNITS.d;

/**
 * A duration as people write it, such as `30s`, `1h30m` or `7d`, in milliseconds. Units are d, h, m, s and ms, each at
 * most once and the longest first; `undefined` if the text is not one, or longer than ten years.
 */
export function parseDuration(text: string): number | undefined {
  const match = text === "" ? null : DURATION.exec(text);
  if (match === null) return undefined;
  const total = Object.values(UNITS).reduce((sum, unit, index) => sum + unit * Number(match[index + 1] ?? 0), 0);
  return total <= MAX_DURATION ? total : undefined;
}

/** A duration in milliseconds as text that `parseDuration` reads, with no unit that is zero: `1h30m`. */
export function formatDuration(duration: number): string {
  let rest = Math.round(duration);
  const parts = Object.entries(UNITS).map(([name, unit]) => {
    const count = Math.floor(rest / unit);
    rest -= count * unit;
    return count === 0 ? "" : `${count}${name}`;
  });
  return parts.join("") || "0s";
}

/** What is wrong with a duration as text, if anything. */
export function durationProblem(text: string): string | undefined {
  return parseDuration(text) === undefined
    ? "must be a duration such as 30s, 1h30m or 7d, of at most 3650d"
    : undefined;
}
