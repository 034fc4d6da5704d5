/** Wrong credentials in a row, of one account or from one address. */
export interface Attempts {
  readonly failures: number;
  /** In milliseconds since the Unix epoch; 0 if it never was locked. */
  readonly lockedUntil: number;
  /** When the last attempt was. */
  readonly at: number;
}

/** How long the first lock lasts, and the longest one, in milliseconds. */
const FIRST_LOCK = 30_000;
const LONGEST_LOCK = 3_600_000;

/** After this long without an attempt it is all forgotten, in milliseconds. */
export const FORGET_AFTER = 86_400_000;

/** Seconds until the next attempt is allowed; `undefined` if it is allowed now. */
export function secondsToWait(attempts: Attempts | undefined, now: number): number | undefined {
  const left = (attempts?.lockedUntil ?? 0) - now;
  return left > 0 ? Math.ceil(left / 1000) : undefined;
}

/** Whole seconds since the last attempt, if it was wrong. */
export function secondsSinceFailure(attempts: Attempts | undefined, now: number): number | undefined {
  return attempts === undefined || attempts.failures === 0 ? undefined : Math.floor((now - attempts.at) / 1000);
}

/**
 * Counts a failure. The one that reaches `limit` locks, and so does each one after it, twice as long. One that comes
 * while it is locked was under way before, and counts for nothing.
 */
export function afterFailure(attempts: Attempts | undefined, now: number, limit: number): Attempts {
  const before =
    attempts === undefined || now - attempts.at >= FORGET_AFTER ? { failures: 0, lockedUntil: 0 } : attempts;
  if (before.lockedUntil > now) return { ...before, at: now };
  const failures = before.failures + 1;
  if (failures < limit) return { failures, lockedUntil: 0, at: now };
  const doublings = Math.min(failures - limit, 16);
  return { failures, lockedUntil: now + Math.min(FIRST_LOCK * 2 ** doublings, LONGEST_LOCK), at: now };
}

/** Forgives `failures` of what was counted. */
export function afterSuccess(attempts: Attempts, now: number, failures: number): Attempts {
  return { failures: Math.max(0, attempts.failures - failures), lockedUntil: 0, at: now };
}
