import type { Budget, Sleep } from "../ports.ts";

/** How fast one registry may be called with one credential. */
export interface BudgetRule {
  /** Requests a second; 0 is as fast as it goes. Up to a second's worth may go at once. */
  readonly qps: number;
  /** Manifest reads of the registry's quota (`ratelimit-remaining`) that are left to others. */
  readonly reserve: number;
}

/** What a budget works with. */
export interface BudgetPorts {
  readonly clock: () => number;
  readonly sleep: Sleep;
  /** Told when the registry asks for a pause, or its quota is used up. */
  readonly onPause?: (pause: { readonly reason: "asked" | "quota"; readonly duration: number }) => void;
}

/** How long manifest reads rest when the quota is used up, before one tries again; in milliseconds. */
const QUOTA_PAUSE = 5 * 60_000;

/** The longest sleep before things are looked at anew, in milliseconds. */
const SLICE = 5000;

/**
 * A budget for one process: all that call the same registry with the same credential share one of these. It waits for
 * as long as it takes.
 */
export class ProcessBudget implements Budget {
  readonly #rule: BudgetRule;
  readonly #ports: BudgetPorts;
  /** When the next request would be due if all came evenly. @see ITU-T I.371, generic cell rate algorithm */
  #due = 0;
  #pausedUntil = 0;
  #quotaPausedUntil = 0;

  constructor(rule: BudgetRule, ports: BudgetPorts) {
    this.#rule = rule;
    this.#ports = ports;
  }

  async acquire(kind: "request" | "manifest-get", signal: AbortSignal): Promise<void> {
    const slot = this.#takeSlot();
    for (;;) {
      signal.throwIfAborted();
      const now = this.#ports.clock();
      const until = Math.max(slot, this.#pausedUntil, kind === "manifest-get" ? this.#quotaPausedUntil : 0);
      if (until <= now) break;
      await this.#ports.sleep(Math.min(until - now, SLICE), signal);
    }
    // The one that comes out of a pause tries the quota; the others wait for what it learns.
    if (kind === "manifest-get" && this.#quotaPausedUntil > 0) {
      this.#quotaPausedUntil = this.#ports.clock() + QUOTA_PAUSE;
    }
  }

  report({ retryAfter, remaining }: Parameters<Budget["report"]>[0]): void {
    const now = this.#ports.clock();
    if (retryAfter !== undefined && now + retryAfter > this.#pausedUntil) {
      this.#pausedUntil = now + retryAfter;
      this.#ports.onPause?.({ reason: "asked", duration: retryAfter });
    }
    if (remaining === undefined) return;
    if (remaining > this.#rule.reserve) {
      this.#quotaPausedUntil = 0;
      return;
    }
    if (this.#quotaPausedUntil <= now) this.#ports.onPause?.({ reason: "quota", duration: QUOTA_PAUSE });
    this.#quotaPausedUntil = Math.max(this.#quotaPausedUntil, now + QUOTA_PAUSE);
  }

  /** The time from which the rate allows one more request. */
  #takeSlot(): number {
    const { qps } = this.#rule;
    if (qps <= 0) return 0;
    const interval = 1000 / qps;
    const burst = interval * (Math.max(1, Math.floor(qps)) - 1);
    const now = this.#ports.clock();
    const slot = Math.max(now, this.#due - burst);
    this.#due = Math.max(this.#due, now) + interval;
    return slot;
  }
}
