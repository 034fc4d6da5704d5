import { createHash } from "node:crypto";
import { type Budget, RegistryError, type Sleep } from "../../mirror/index.ts";
import { type Clock, Lru, type Log } from "../../platform/index.ts";
import { type BudgetRule, QUOTA_RESERVE } from "./budget-state.ts";
import type { CallMeter } from "./call-meter.ts";
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
  /** Counts the requests, and the calls of the object. */
  readonly meter: Pick<CallMeter, "request">;
}

type Kind = Parameters<Budget["acquire"]>[0];

/** What one kind of requests may do without asking, until when, and who asks for more. */
interface Permission {
  left: number;
  until: number;
  asking: Promise<void> | undefined;
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
  // Apart, since a quota of reads that is used up must not be passed with permission for something else.
  readonly #kinds: Readonly<Record<Kind, Permission>> = {
    request: { left: 0, until: 0, asking: undefined },
    "manifest-get": { left: 0, until: 0, asking: undefined },
  };
  #reportedAt = 0;
  readonly #reports = new Set<Promise<void>>();

  constructor(ports: WorkerBudgetPorts) {
    this.#ports = ports;
  }

  async acquire(kind: Kind, signal: AbortSignal): Promise<void> {
    const { clock, meter } = this.#ports;
    const permission = this.#kinds[kind];
    for (;;) {
      signal.throwIfAborted();
      if (permission.left > 0 && clock() < permission.until) {
        meter.request();
        permission.left -= 1;
        return;
      }
      // One asks; the others wait for what it gets, and ask themselves if that was nothing.
      if (permission.asking !== undefined) {
        await permission.asking.catch(() => undefined);
        continue;
      }
      permission.asking = this.#ask(kind, signal).finally(() => {
        permission.asking = undefined;
      });
      await permission.asking;
    }
  }

  report({ retryAfter, remaining }: Parameters<Budget["report"]>[0]): void {
    const now = this.#ports.clock();
    const isUrgent = retryAfter !== undefined || (remaining !== undefined && remaining <= NEAR * QUOTA_RESERVE);
    if (!isUrgent && (remaining === undefined || now - this.#reportedAt < REPORT_INTERVAL)) return;
    this.#reportedAt = now;
    if (isUrgent) for (const permission of Object.values(this.#kinds)) permission.left = 0;
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

  async #ask(kind: Kind, signal: AbortSignal): Promise<void> {
    const { calls, rule, clock, sleep, registry, log, meter } = this.#ports;
    await this.settled();
    meter.request();
    const wanted = Math.max(1, Math.floor(rule.qps / 4));
    const answer = await calls.acquire({ qps: rule.qps }, kind, wanted).catch((error: unknown) => {
      log.warn("sync.budget-unreachable", { error });
      return { ok: true as const, until: clock() + REPORT_INTERVAL };
    });
    if (answer.ok) {
      const permission = this.#kinds[kind];
      permission.left = ("permits" in answer ? answer.permits : undefined) ?? Number.POSITIVE_INFINITY;
      permission.until = answer.until;
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
