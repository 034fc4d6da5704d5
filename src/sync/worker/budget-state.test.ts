import { describe, expect, it } from "vitest";
import { acquire, type BudgetState, IDLE, reported } from "./budget-state.ts";

const NOW = 1_000_000;

/** How many requests in all are permitted in a time of so many milliseconds, asked for again and again. */
function granted(qps: number, duration: number, wanted: number): number {
  let state: BudgetState = IDLE;
  let total = 0;
  for (let now = NOW; now < NOW + duration;) {
    const { state: next, answer } = acquire(state, { qps }, { kind: "request", wanted, now });
    state = next;
    if (answer.ok) total += answer.permits ?? Number.POSITIVE_INFINITY;
    else now += answer.waitMs;
  }
  return total;
}

describe("a budget", () => {
  it.each([
    [1, 10_000, 1, 10, 11],
    [10, 10_000, 2, 108, 112],
    [0.5, 10_000, 1, 5, 6],
  ])("of %d requests a second permits so many in %d ms", (qps, duration, wanted, least, most) => {
    const total = granted(qps, duration, wanted);
    expect(total).toBeGreaterThanOrEqual(least);
    expect(total).toBeLessThanOrEqual(most);
  });

  it("is not used up by who is to go more slowly with the same credential", () => {
    const about = { kind: "request" as const, wanted: 1, now: NOW };
    const { state } = acquire(IDLE, { qps: 0.001 }, about);
    expect(acquire(state, { qps: 0.001 }, about).answer.ok).toBe(false);
    expect(acquire(state, { qps: 5 }, about).answer.ok).toBe(true);
  });

  it("pauses for as long as the registry asked, and the longest pause counts", () => {
    const paused = reported(reported(IDLE, { retryAfter: 5000 }, NOW), { retryAfter: 1000 }, NOW);
    const about = { kind: "request" as const, wanted: 1 };
    expect(acquire(paused, { qps: 0 }, { ...about, now: NOW + 2000 }).answer).toMatchObject({ waitMs: 3000 });
    expect(acquire(paused, { qps: 0 }, { ...about, now: NOW + 5000 }).answer).toMatchObject({ ok: true });
  });

  it("lets one reader try when the pause of a quota is over, and the others wait for what it learns", () => {
    const used = reported(IDLE, { remaining: 0 }, NOW);
    const read = { kind: "manifest-get" as const, wanted: 10 };
    expect(acquire(used, { qps: 0 }, { ...read, now: NOW + 1000 }).answer).toMatchObject({
      ok: false,
      reason: "quota",
    });
    expect(acquire(used, { qps: 0 }, { ...read, kind: "request", now: NOW + 1000 }).answer.ok).toBe(true);
    const later = NOW + 5 * 60_000;
    const { state, answer } = acquire(used, { qps: 0 }, { ...read, now: later });
    expect(answer).toMatchObject({ ok: true, permits: 1 });
    expect(acquire(state, { qps: 0 }, { ...read, now: later }).answer).toMatchObject({ ok: false });
    const refilled = reported(state, { remaining: 100 }, later);
    expect(acquire(refilled, { qps: 0 }, { ...read, now: later }).answer).toMatchObject({ ok: true });
  });
});
