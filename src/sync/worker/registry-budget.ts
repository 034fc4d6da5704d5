import { DurableObject } from "cloudflare:workers";
import type { Clock } from "../../platform/index.ts";
import {
  acquire,
  type BudgetAnswer,
  type BudgetReport,
  type BudgetRule,
  type BudgetState,
  IDLE,
  reported,
} from "./budget-state.ts";

/** What a budget works with. */
export interface RegistryBudgetPorts {
  readonly clock: Clock;
}

/** What the Worker calls of a budget. */
export interface RegistryBudgetCalls {
  acquire(rule: BudgetRule, kind: "request" | "manifest-get", wanted: number): Promise<BudgetAnswer>;
  report(report: BudgetReport): Promise<void>;
}

const STATE = "state";

/**
 * The Durable Object class that says how fast a registry may be called with one credential, by whichever isolate and run.
 * What a registry asked for outlives the object; its rate starts anew.
 */
export function registryBudgetClass<Env>(bind: (env: Env) => RegistryBudgetPorts) {
  return class RegistryBudget extends DurableObject<Env> implements RegistryBudgetCalls {
    readonly #clock: Clock;
    #state: BudgetState | undefined;

    constructor(context: DurableObjectState, env: Env) {
      super(context, env);
      this.#clock = bind(env).clock;
    }

    async acquire(rule: BudgetRule, kind: "request" | "manifest-get", wanted: number): Promise<BudgetAnswer> {
      const { state, answer } = acquire(await this.#load(), rule, { kind, wanted, now: this.#clock() });
      await this.#keep(state);
      return answer;
    }

    async report(report: BudgetReport): Promise<void> {
      await this.#keep(reported(await this.#load(), report, this.#clock()));
    }

    /** Forgets pauses that are over. */
    override async alarm(): Promise<void> {
      const { pausedUntil, quotaUntil } = await this.#load();
      const end = Math.max(pausedUntil, quotaUntil);
      if (end > this.#clock()) await this.ctx.storage.setAlarm(end + 1000);
      else await this.ctx.storage.deleteAll();
    }

    async #load(): Promise<BudgetState> {
      this.#state ??= (await this.ctx.storage.get<BudgetState>(STATE)) ?? IDLE;
      return this.#state;
    }

    async #keep(state: BudgetState): Promise<void> {
      const before = this.#state;
      this.#state = state;
      if (before?.pausedUntil === state.pausedUntil && before.quotaUntil === state.quotaUntil) return;
      await this.ctx.storage.put(STATE, state);
      if ((await this.ctx.storage.getAlarm()) === null) {
        await this.ctx.storage.setAlarm(Math.max(state.pausedUntil, state.quotaUntil, this.#clock()) + 1000);
      }
    }
  };
}
