import { createHash } from "node:crypto";
import { type Budget, RegistryError, type Sleep } from "../../mirror/index.ts";
import { type Clock, Lru, type Log } from "../../platform/index.ts";
import { type BudgetRule, QUOTA_RESERVE } from "./budget-state.ts";
import type { RegistryBudgetCalls } from "./registry-budget.ts";

/** What the Worker's side of a budget works with. */
export interface WorkerBudgetPorts {
  readonly calls: RegistryBudgetCalls;
  /** As the configuration calls the registry; for messages. */
  readonly registry: string;
  readonly rule: BudgetRule;
  readonly clock: Clock;
  readonly sleep: Sleep;
  readonly log: Log;
}

/** Waits up to this long, in milliseconds, are waited for in place. */
const PATIENCE = 2000;
/** While nothing is said of a pause, reports about a quota that is far from used up are sent this often, in milliseconds. */
const REPORT_INTERVAL = 5000;
/** A quota is near its end when this many times the reserve are left. */
const NEAR = 4;

/**
 * A budget that is kept by a Durable Object. Permission is asked for several requests at once. Where there is long to
 * wait it throws a `RegistryError` "delayed", and the work is put off. If the object cannot be reached, requests go on.
 */
export class WorkerBudget implements Budget {
  readonly #ports: WorkerBudgetPorts;
  #permits = 0;
  #until = 0;
  #asking: Promise<void> | undefined;
  #reportedAt = 0;
  readonly #reports = new Set<Promise<void>>();

  constructor(ports: WorkerBudgetPorts) {
    this.#ports = ports;
  }

  async acquire(kind: "request" | "manifest-get", signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    for (;;) {
      signal.throwIfAborted();
      if (this.#permits > 0 && clock() < this.#until) {
        this.#permits -= 1;
        return;
      }
      // One asks; the others wait for what it gets, and ask themselves if that was nothing.
      if (this.#asking !== undefined) {
        await this.#asking.catch(() => undefined);
        continue;
      }
      this.#asking = this.#ask(kind, signal).finally(() => {
        this.#asking = undefined;
      });
      await this.#asking;
    }
  }

  report({ retryAfter, remaining }: Parameters<Budget["report"]>[0]): void {
    const now = this.#ports.clock();
    const isUrgent = retryAfter !== undefined || (remaining !== undefined && remaining <= NEAR * QUOTA_RESERVE);
    if (!isUrgent && (remaining === undefined || now - this.#reportedAt < REPORT_INTERVAL)) return;
    this.#reportedAt = now;
    if (isUrgent) this.#permits = 0;
    const report = {
      ...(retryAfter === undefined ? {} : { retryAfter }),
      ...(remaining === undefined ? {} : { remaining }),
    };
    const sent: Promise<void> = this.#ports.calls
      .report(report)
      .catch((error: unknown) => this.#ports.log.warn("sync.budget-unreachable", { error }))
      .finally(() => this.#reports.delete(sent));
    this.#reports.add(sent);
  }

  /** Resolves when all reports have arrived. */
  async settled(): Promise<void> {
    await Promise.all(this.#reports);
  }

  async #ask(kind: "request" | "manifest-get", signal: AbortSignal): Promise<void> {
    const { calls, rule, clock, sleep, registry, log } = this.#ports;
    await this.settled();
    const wanted = Math.max(1, Math.floor(rule.qps / 4));
    const answer = await calls.acquire({ qps: rule.qps }, kind, wanted).catch((error: unknown) => {
      log.warn("sync.budget-unreachable", { error });
      return { ok: true as const, until: clock() + REPORT_INTERVAL };
    });
    if (answer.ok) {
      this.#permits = ("permits" in answer ? answer.permits : undefined) ?? Number.POSITIVE_INFINITY;
      this.#until = answer.until;
      return;
    }
    if (answer.waitMs > PATIENCE) {
      throw new RegistryError("delayed", REASONS[answer.reason](registry), { retryAfter: answer.waitMs });
    }
    await sleep(answer.waitMs, signal);
  }
}

const REASONS = {
  rate: (registry: string) => `${registry}: more requests than its rate limit allows are waiting`,
  asked: (registry: string) => `${registry} asked to wait`,
  quota: (registry: string) => `${registry}: the quota of manifest reads is used up`,
} as const;

/** The name of the object that keeps the budget of a registry and a credential. Names are kept, so no secret is in it. */
export function budgetName(origin: string, credential: unknown): string {
  const text = JSON.stringify([origin, credential]);
  return createHash("sha256").update(text).digest("hex");
}

/** Lets so many requests of this isolate wait for their answers at once, for each budget. */
export class Gates {
  readonly #running = new Lru<{ count: number }>(1000);

  /** Runs `work` when fewer than `limit` others run under the same name. */
  async within<T>(
    name: string,
    limit: number,
    ports: { readonly sleep: Sleep; readonly signal: AbortSignal },
    work: () => Promise<T>,
  ): Promise<T> {
    const gate = this.#running.get(name) ?? { count: 0 };
    this.#running.set(name, gate, 1);
    // Promises of one request must not be resolved by another: whoever waits looks again by itself.
    while (gate.count >= limit) await ports.sleep(GATE_POLL, ports.signal);
    gate.count += 1;
    try {
      return await work();
    } finally {
      gate.count -= 1;
    }
  }
}

const GATE_POLL = 10;
