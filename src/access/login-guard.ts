import { DurableObject } from "cloudflare:workers";
import type { Clock, Env } from "../platform/index.ts";
import { afterFailure, afterSuccess, type Attempts, FORGET_AFTER, secondsToWait } from "./attempts.ts";

/** How many failures in a row are allowed: in all, and from one address. */
export interface AttemptLimits {
  readonly total: number;
  readonly perAddress: number;
}

/** What a guard works with. */
export interface LoginGuardPorts {
  readonly clock: Clock;
}

/** What the Worker calls of a guard. `address` is absent in the guard of an address. */
export interface LoginGuardCalls {
  check(limits: AttemptLimits, address?: string): Promise<number | undefined>;
  failed(limits: AttemptLimits, address?: string): Promise<void>;
  succeeded(address: string): Promise<void>;
  dropped(address?: string): Promise<void>;
}

/** Attempts from one address, and whether one of them was right. */
interface AddressAttempts extends Attempts {
  readonly trusted: boolean;
}

const TOTAL = "total";

/** Whether the right credential came from there within the last day. */
const isTrusted = (from: AddressAttempts | undefined, now: number) =>
  from !== undefined && from.trusted && now - from.at < FORGET_AFTER;

const addressKey = (address: string) => `from:${address}`;

/** How long an attempt may take before it counts as ended, in milliseconds. */
const LONGEST_ATTEMPT = 30_000;

/** How long a success is known before it is written down again, in milliseconds. */
const FRESH = 3_600_000;

/**
 * The Durable Object class that counts wrong credentials of one account, or from one address; it outlives isolates.
 *
 * An account is guarded by two counts. The count per address stops whoever guesses from one place, and stops nobody
 * else. The count of all addresses stops guessing from many places; from an address that gave the right password
 * within the last day it does not count, so that nobody can keep an owner out from afar. A success forgives what its own
 * address had wrong, and no more: guesses from elsewhere go on being counted while the owner signs in every day.
 */
export function loginGuardClass(bind: (env: Env) => LoginGuardPorts) {
  return class LoginGuard extends DurableObject<Env> {
    readonly #clock: Clock;
    /** Attempts under way: where each comes from, and when it began. */
    #running: readonly { readonly address: string | undefined; readonly at: number }[] = [];

    constructor(context: DurableObjectState, env: Env) {
      super(context, env);
      this.#clock = bind(env).clock;
    }

    /**
     * Begins an attempt, which `failed`, `succeeded` or `dropped` ends. Otherwise seconds to wait: 0 if as many are under
     * way as may still be wrong, so that guesses do not get past the lock by coming all at once.
     */
    async check(limits: AttemptLimits, address?: string): Promise<number | undefined> {
      const now = this.#clock();
      const [total, from] = await Promise.all([this.#total(), this.#from(address)]);
      const trusted = isTrusted(from, now);
      const wait = Math.max(secondsToWait(from, now) ?? 0, trusted ? 0 : (secondsToWait(total, now) ?? 0));
      if (wait > 0) return wait;
      this.#running = this.#running.filter(({ at }) => now - at < LONGEST_ATTEMPT);
      const fromThere = this.#running.filter((each) => each.address === address);
      const isFull = (running: number, limit: number, attempts: Attempts | undefined) =>
        running >= Math.max(1, limit - (attempts?.failures ?? 0));
      if (address !== undefined && isFull(fromThere.length, limits.perAddress, from)) return 0;
      if (!trusted && isFull(this.#running.length, limits.total, total)) return 0;
      this.#running = [...this.#running, { address, at: now }];
      return undefined;
    }

    /** Ends an attempt that came to nothing. */
    async dropped(address?: string): Promise<void> {
      const index = this.#running.findIndex((each) => each.address === address);
      this.#running = this.#running.filter((_, at) => at !== index);
    }

    /** Counts a wrong credential. */
    async failed(limits: AttemptLimits, address?: string): Promise<void> {
      const now = this.#clock();
      await this.dropped(address);
      const [total, from] = await Promise.all([this.#total(), this.#from(address)]);
      const trusted = isTrusted(from, now);
      if (!trusted) await this.ctx.storage.put(TOTAL, afterFailure(total, now, limits.total));
      if (address !== undefined) {
        const attempts: AddressAttempts = { ...afterFailure(from, now, limits.perAddress), trusted };
        await this.ctx.storage.put(addressKey(address), attempts);
      }
      await this.#forgetLater();
    }

    /** Takes a right credential down. */
    async succeeded(address: string): Promise<void> {
      const now = this.#clock();
      await this.dropped(address);
      const [total, from] = await Promise.all([this.#total(), this.#from(address)]);
      const trusted = isTrusted(from, now);
      const forgiven = trusted ? 0 : (from?.failures ?? 0);
      if (total !== undefined && forgiven > 0) await this.ctx.storage.put(TOTAL, afterSuccess(total, now, forgiven));
      if (trusted && from?.failures === 0 && now - from.at < FRESH) return;
      const attempts: AddressAttempts = { failures: 0, lockedUntil: 0, at: now, trusted: true };
      await this.ctx.storage.put(addressKey(address), attempts);
      await this.#forgetLater();
    }

    /** Forgets what has been quiet for a day. */
    override async alarm(): Promise<void> {
      const now = this.#clock();
      const all = await this.ctx.storage.list<Attempts>();
      const old = [...all].filter(([, { at }]) => now - at >= FORGET_AFTER).map(([key]) => key);
      if (old.length === all.size) {
        await this.ctx.storage.deleteAll();
        return;
      }
      for (const key of old) await this.ctx.storage.delete(key);
      await this.ctx.storage.setAlarm(now + FORGET_AFTER);
    }

    #total(): Promise<Attempts | undefined> {
      return this.ctx.storage.get<Attempts>(TOTAL);
    }

    async #from(address: string | undefined): Promise<AddressAttempts | undefined> {
      return address === undefined ? undefined : this.ctx.storage.get<AddressAttempts>(addressKey(address));
    }

    async #forgetLater(): Promise<void> {
      if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(this.#clock() + FORGET_AFTER);
    }
  };
}
