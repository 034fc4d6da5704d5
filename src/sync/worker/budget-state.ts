/** How fast one registry may be called with one credential. */
export interface BudgetRule {
  /** Requests a second; 0 is as fast as it goes. */
  readonly qps: number;
}

/** What is known about how fast one may go on. Times are milliseconds since the Unix epoch. */
export interface BudgetState {
  /**
   * When the next request would be due if all came evenly, by the rate in requests a second: who is to go slowly does not
   * hold up others that use the same credential.
   */
  readonly due: Readonly<Record<string, number>>;
  /** The registry asked for a pause until then. */
  readonly pausedUntil: number;
  /** Its quota of manifest reads is used up until then, as far as known. */
  readonly quotaUntil: number;
}

/** What an answer of a registry said. */
export interface BudgetReport {
  /** Milliseconds. */
  readonly retryAfter?: number;
  /** Manifest reads left. */
  readonly remaining?: number;
}

/** Permission to send some requests, or how long to wait for it in milliseconds. */
export type BudgetAnswer =
  | {
      readonly ok: true;
      /** How many, until `until`; without it as many as one likes. */
      readonly permits?: number;
      readonly until: number;
    }
  | { readonly ok: false; readonly waitMs: number; readonly reason: "rate" | "asked" | "quota" };

export const IDLE: BudgetState = { due: {}, pausedUntil: 0, quotaUntil: 0 };

/** For how long permission is good, in milliseconds. */
const GOOD_FOR = 1000;
/** Manifest reads of a quota that are left to others who use the same credential. */
export const QUOTA_RESERVE = 5;
/** How long manifest reads rest when the quota is used up, before one tries again, in milliseconds. */
const QUOTA_PAUSE = 5 * 60_000;

/**
 * Asks for up to `wanted` requests. Requests of a second may come at once.
 * @see ITU-T I.371, generic cell rate algorithm
 */
export function acquire(
  state: BudgetState,
  rule: BudgetRule,
  about: { readonly kind: "request" | "manifest-get"; readonly wanted: number; readonly now: number },
): { readonly state: BudgetState; readonly answer: BudgetAnswer } {
  const { kind, wanted, now } = about;
  if (state.pausedUntil > now) return { state, answer: refused(state.pausedUntil - now, "asked") };
  if (kind === "manifest-get" && state.quotaUntil > now)
    return { state, answer: refused(state.quotaUntil - now, "quota") };
  // The one that comes out of a pause tries the quota; the others wait for what it learns.
  const tries = kind === "manifest-get" && state.quotaUntil > 0;
  const quotaUntil = tries ? now + QUOTA_PAUSE : state.quotaUntil;
  if (rule.qps <= 0) {
    const answer = tries ? { ok: true, permits: 1, until: now + GOOD_FOR } : { ok: true, until: now + GOOD_FOR };
    return { state: { ...state, quotaUntil }, answer: answer as BudgetAnswer };
  }
  const interval = 1000 / rule.qps;
  const burst = interval * (Math.max(1, Math.floor(rule.qps)) - 1);
  const key = String(rule.qps);
  const from = Math.max(now, state.due[key] ?? 0);
  const late = from - burst - now;
  if (late > 0) return { state, answer: refused(late, "rate") };
  const free = Math.floor((burst + now - from) / interval) + 1;
  const permits = tries ? 1 : Math.max(1, Math.min(wanted, free));
  const due = Object.fromEntries(Object.entries(state.due).filter(([, time]) => time > now));
  const next = { ...state, due: { ...due, [key]: from + permits * interval }, quotaUntil };
  return { state: next, answer: { ok: true, permits, until: now + GOOD_FOR } };
}

/** Takes down what an answer said. */
export function reported(state: BudgetState, { retryAfter, remaining }: BudgetReport, now: number): BudgetState {
  const pausedUntil = retryAfter === undefined ? state.pausedUntil : Math.max(state.pausedUntil, now + retryAfter);
  if (remaining === undefined) return { ...state, pausedUntil };
  const quotaUntil = remaining > QUOTA_RESERVE ? 0 : Math.max(state.quotaUntil, now + QUOTA_PAUSE);
  return { ...state, pausedUntil, quotaUntil };
}

function refused(wait: number, reason: "rate" | "asked" | "quota"): BudgetAnswer {
  return { ok: false, waitMs: Math.ceil(wait), reason };
}
