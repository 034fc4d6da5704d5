import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { BudgetRule } from "../../../src/sync/worker/budget-state.ts";
import { CallMeter } from "../../../src/sync/worker/call-meter.ts";
import { WorkerBudget } from "../../../src/sync/worker/budget.ts";
import type { RegistryBudgetCalls } from "../../../src/sync/worker/registry-budget.ts";
import { bindings } from "../bindings.ts";
import { quietLog } from "../fixture.ts";

const { REGISTRY_BUDGETS } = bindings;
const signal = new AbortController().signal;

let names = 0;

function world(rule: BudgetRule = { qps: 0 }) {
  names += 1;
  const name = `budget-${names}`;
  const stub = () => REGISTRY_BUDGETS.get(REGISTRY_BUDGETS.idFromName(name));
  let calls = 0;
  const counting: RegistryBudgetCalls = {
    acquire: (...about) => {
      calls += 1;
      return (stub() as unknown as RegistryBudgetCalls).acquire(...about);
    },
    report: (report) => (stub() as unknown as RegistryBudgetCalls).report(report),
  };
  const sleep = (duration: number) => new Promise<void>((resolve) => setTimeout(resolve, duration));
  const create = () =>
    new WorkerBudget({
      calls: counting,
      registry: "hub",
      rule,
      clock: Date.now,
      sleep,
      log: quietLog,
      meter: new CallMeter(),
    });
  return { create, stub, calls: () => calls };
}

describe("the budget of a registry", () => {
  it("costs one call for many requests where there is no limit", async () => {
    const { create, calls } = world();
    const budget = create();
    await Promise.all(Array.from({ length: 200 }, () => budget.acquire("request", signal)));
    expect(calls()).toBe(1);
  });

  it("keeps a rate, whoever asks", async () => {
    const { create } = world({ qps: 10 });
    const [one, two] = [create(), create()];
    const begun = Date.now();
    for (let count = 0; count < 10; count += 1) {
      await Promise.all([one.acquire("request", signal), two.acquire("request", signal)]);
    }
    // Ten at once, and ten more at ten in a second; a permit that was given to one is not the other's.
    expect(Date.now() - begun).toBeGreaterThan(700);
    expect(Date.now() - begun).toBeLessThan(60_000);
  });

  it("puts off what would wait long, for all and beyond a restart", async () => {
    const { create, stub } = world();
    const budget = create();
    await budget.acquire("request", signal);
    budget.report({ status: 429, retryAfter: 60_000 });
    await budget.settled();
    await evictDurableObject(stub());
    for (const each of [budget, create()]) {
      const refused = each.acquire("request", signal);
      await expect(refused).rejects.toMatchObject({ failure: "delayed" });
      await expect(refused).rejects.toSatisfy((error: { retryAfter: number }) => error.retryAfter > 50_000);
    }
  });

  it("waits in place where it is not long", async () => {
    const { create } = world();
    const budget = create();
    budget.report({ status: 429, retryAfter: 300 });
    const begun = Date.now();
    await budget.acquire("request", signal);
    expect(Date.now() - begun).toBeGreaterThanOrEqual(280);
  });

  it("leaves the last of a quota of manifest reads to others, and goes on with what costs nothing", async () => {
    const { create } = world();
    const budget = create();
    budget.report({ status: 200, remaining: 3 });
    await expect(budget.acquire("manifest-get", signal)).rejects.toMatchObject({ failure: "delayed" });
    await budget.acquire("request", signal);
    // Permission for what costs nothing is none for what does.
    await expect(budget.acquire("manifest-get", signal)).rejects.toMatchObject({ failure: "delayed" });
  });

  it("ends a message before it calls more than it may", async () => {
    const { create } = world();
    const budget = create();
    const acquired = async (): Promise<void> => {
      for (let count = 0; count < 10_000; count += 1) await budget.acquire("request", signal);
    };
    await expect(acquired()).rejects.toMatchObject({ failure: "delayed", retryAfter: 0 });
  });

  it("lets requests go on if it cannot be reached", async () => {
    const calls = { acquire: () => Promise.reject(new Error("gone")), report: () => Promise.reject(new Error("gone")) };
    const sleep = async () => {};
    const budget = new WorkerBudget({
      calls,
      registry: "hub",
      rule: { qps: 1 },
      clock: Date.now,
      sleep,
      log: quietLog,
      meter: new CallMeter(),
    });
    budget.report({ status: 429, retryAfter: 1000 });
    await budget.acquire("request", signal);
  });
});
