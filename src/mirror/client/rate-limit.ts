/** What the head of an answer says about how fast one may go on. */
export interface Pace {
  /** Milliseconds to wait. */
  readonly retryAfter?: number;
  /** Requests that are left of a quota. */
  readonly remaining?: number;
  /** Requests that the quota has in all. */
  readonly limit?: number;
  /** Milliseconds in which they are counted. */
  readonly window?: number;
}

/** Reads `Retry-After` (RFC 9110, section 10.2.3) and Docker Hub's `RateLimit-*` (`100;w=21600`). `now` is in milliseconds. */
export function paceOf(headers: Headers, now: number): Pace {
  const retryAfter = retryAfterOf(headers.get("retry-after"), now);
  const remaining = quota(headers.get("ratelimit-remaining"));
  const limit = quota(headers.get("ratelimit-limit"));
  const window = limit?.window ?? remaining?.window;
  return {
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(remaining === undefined ? {} : { remaining: remaining.count }),
    ...(limit === undefined ? {} : { limit: limit.count }),
    ...(window === undefined ? {} : { window }),
  };
}

/** Nobody is told to wait longer, in milliseconds: then it is asked again. Timers end at 24 days. */
const LONGEST_WAIT = 24 * 60 * 60 * 1000;

function retryAfterOf(text: string | null, now: number): number | undefined {
  if (text === null) return undefined;
  const trimmed = text.trim();
  if (/^\d{1,15}(?:\.\d+)?$/.test(trimmed)) return Math.min(Math.ceil(Number(trimmed) * 1000), LONGEST_WAIT);
  const date = /[A-Za-z]/.test(trimmed) ? Date.parse(trimmed) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.min(Math.max(0, date - now), LONGEST_WAIT);
}

function quota(text: string | null): { readonly count: number; readonly window?: number } | undefined {
  const [, count, window] = /^\s*(\d{1,12})\s*(?:;.*?\bw=(\d{1,9}))?/.exec(text ?? "") ?? [];
  if (count === undefined) return undefined;
  return { count: Number(count), ...(window === undefined ? {} : { window: Number(window) * 1000 }) };
}
