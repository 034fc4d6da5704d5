import { describe, expect, it } from "vitest";
import { type BudgetRule, ProcessBudget } from "./process-budget.ts";

/** A budget in a world where sleeping takes no time; `spent` is how long a call had to wait. */
function world(rule: Partial<BudgetRule>) {
  let now = 1_000_000;
  const pauses: string[] = [];
  const budget = new ProcessBudget(
    { qps: 0, reserve: 0, ...rule },
    {
      clock: () => now,
      sleep: async (duration, signal) => {
        signal.throwIfAborted();
        now += duration;
      },
      onPause: ({ reason }) => pauses.push(reason),
    },
  );
  const signal = new AbortController().signal;
  const spent = async (kind: "request" | "manifest-get" = "request"): Promise<number> => {
    const start = now;
    await budget.acquire(kind, signal);
    return now - start;
  };
  return { budget, spent, pauses, pass: (duration: number) => (now += duration) };
}

describe("ProcessBudget", () => {
  it("lets a second's worth go at once, then keeps the rate", async () => {
    const { spent } = world({ qps: 4 });
    const waits: number[] = [];
    for (let call = 0; call < 7; call += 1) waits.push(await spent());
    expect(waits).toEqual([0, 0, 0, 0, 250, 250, 250]);
  });

  it("takes rates below one a second", async () => {
    const { spent } = world({ qps: 0.5 });
    expect([await spent(), await spent(), await spent()]).toEqual([0, 2000, 2000]);
  });

  it("does not save up more than a second", async () => {
    const { spent, pass } = world({ qps: 2 });
    pass(3_600_000);
    expect([await spent(), await spent(), await spent()]).toEqual([0, 0, 500]);
  });

  it("has no rate of its own with 0", async () => {
    const { spent } = world({});
    for (let call = 0; call < 100; call += 1) expect(await spent()).toBe(0);
  });

  it("makes all wait when the registry asks for a pause", async () => {
    const { budget, spent, pauses } = world({});
    budget.report({ status: 429, retryAfter: 60_000 });
    expect(await spent()).toBe(60_000);
    expect(await spent()).toBe(0);
    expect(pauses).toEqual(["asked"]);
  });

  it("keeps the longer of two pauses", async () => {
    const { budget, spent } = world({});
    budget.report({ status: 429, retryAfter: 60_000 });
    budget.report({ status: 503, retryAfter: 1000 });
    expect(await spent()).toBe(60_000);
  });

  it("rests manifest reads, and only these, when the quota is down to the reserve", async () => {
    const { budget, spent, pauses } = world({ reserve: 10 });
    budget.report({ status: 200, remaining: 11 });
    expect(await spent("manifest-get")).toBe(0);
    budget.report({ status: 200, remaining: 10 });
    expect(await spent("request")).toBe(0);
    expect(await spent("manifest-get")).toBe(300_000);
    expect(pauses).toEqual(["quota"]);
  });

  it("lets one try the quota after a rest, and the others when there is some again", async () => {
    const { budget, spent } = world({});
    budget.report({ status: 200, remaining: 0 });
    expect(await spent("manifest-get")).toBe(300_000);
    expect(await spent("manifest-get")).toBe(300_000);
    budget.report({ status: 200, remaining: 100 });
    expect(await spent("manifest-get")).toBe(0);
  });

  it("ends a wait with the signal", async () => {
    const { budget } = world({});
    budget.report({ status: 429, retryAfter: 60_000 });
    await expect(budget.acquire("request", AbortSignal.abort(new Error("stopped")))).rejects.toThrow("stopped");
  });
});
