import { DurableObject } from "cloudflare:workers";
import type { Clock } from "../platform/index.ts";
import {
  afterFailure,
  afterSuccess,
  type Attempts,
  FORGET_AFTER,
  secondsSinceFailure,
  secondsToWait,
} from "./attempts.ts";

/** How many failures in a row are allowed: in all, and of one part (`LoginGuardCalls`). */
export interface AttemptLimits {
  readonly total: number;
  readonly perPart: number;
}

/** What a guard works with. */
export interface LoginGuardPorts {
  readonly clock: Clock;
}

/**
 * What the Worker calls of a guard. `part` is what it counts besides the total: of an account the address, of an address
 * a name that is no account's.
 */
export interface LoginGuardCalls {
  checkAccount(limits: AttemptLimits, address: string, isAddressLocked: boolean): Promise<number | undefined>;
  checkAddress(limits: AttemptLimits, name?: string): Promise<AddressAnswer>;
  failed(limits: AttemptLimits, part?: string): Promise<void>;
  succeeded(address: string): Promise<void>;
  dropped(part?: string): Promise<void>;
}

/** What the guard of an address says to an attempt. */
export interface AddressAnswer {
  /** Seconds to wait before the name is tried; 0 if as many are under way as may still be wrong. */
  readonly wait?: number;
  /** Seconds for which the address is locked: one try at a time of a name, and no answer but 429 unless it is right. */
  readonly lockedFor?: number;
}

/** Attempts of one part, and whether one of them was right. */
interface PartAttempts extends Attempts {
  readonly trusted: boolean;
}

const TOTAL = "total";

/** Whether the right credential came from there within the last day. */
const isTrusted = (from: PartAttempts | undefined, now: number) =>
  from !== undefined && from.trusted && now - from.at < FORGET_AFTER;

const PART_PREFIX = "from:";
const partKey = (part: string) => `${PART_PREFIX}${part}`;

/** Parts that one guard remembers. Beyond, the older half makes room; those that were right before are the last to go. */
const MAX_PARTS = 256;

/** How long an attempt may take before it counts as ended, in milliseconds. */
const LONGEST_ATTEMPT = 30_000;

/** How long a success is known before it is written down again, in milliseconds. */
const FRESH = 3_600_000;

/** Where an address is locked, a name may be tried again this long after it was tried wrongly from there, in seconds. */
const TRICKLE_SECONDS = 30;

/**
 * The Durable Object class that counts wrong credentials of one account, or from one address; it outlives isolates.
 *
 * An account is guarded by two counts. The count per address stops whoever guesses from one place, and stops nobody
 * else. The count of all addresses stops guessing from many places; from an address that gave the right password
 * within the last day it does not count, so that nobody can keep an owner out from afar. A success forgives what its own
 * address had wrong, and no more: guesses from elsewhere go on being counted while the owner signs in every day.
 *
 * An address is guarded by the count of everything wrong that came from it, which locks nobody out who has the right
 * password: it makes tries of each account rare. Names that are no accounts have no guard of their own. They are counted
 * as accounts would be, but in that of the address, so that nobody sees by a lock which names there are.
 */
export function loginGuardClass<Env>(bind: (env: Env) => LoginGuardPorts) {
  return class LoginGuard extends DurableObject<Env> {
    readonly #clock: Clock;
    /** Attempts under way: of which part each is, and when it began. */
    #running: readonly { readonly part: string | undefined; readonly at: number }[] = [];
    /** How many parts there are, once that is known. */
    #parts: number | undefined;

    constructor(context: DurableObjectState, env: Env) {
      super(context, env);
      this.#clock = bind(env).clock;
    }

    /**
     * Begins an attempt, which `failed`, `succeeded` or `dropped` ends. Otherwise seconds to wait: 0 if as many are under
     * way as may still be wrong, so that guesses do not get past the lock by coming all at once.
     */
    async checkAccount(limits: AttemptLimits, address: string, isAddressLocked: boolean): Promise<number | undefined> {
      const now = this.#clock();
      const [total, from] = await Promise.all([this.#total(), this.#part(address)]);
      const trusted = isTrusted(from, now);
      const wait = Math.max(partWait(from, now, isAddressLocked), trusted ? 0 : (secondsToWait(total, now) ?? 0));
      if (wait > 0) return wait;
      if (this.#isPartFull(limits, address, from, isAddressLocked)) return 0;
      if (!trusted && this.#isFull(limits, total)) return 0;
      this.#begin(address);
      return undefined;
    }

    /** The same for an address, and for a name that is no account's. */
    async checkAddress(limits: AttemptLimits, name?: string): Promise<AddressAnswer> {
      const now = this.#clock();
      const [total, from] = await Promise.all([this.#total(), this.#part(name)]);
      const lockedFor = secondsToWait(total, now);
      const isLocked = lockedFor !== undefined;
      if (name !== undefined) {
        const wait = partWait(from, now, isLocked);
        if (wait > 0) return { wait };
        if (this.#isPartFull(limits, name, from, isLocked)) return { wait: 0 };
      }
      if (!isLocked && this.#isFull(limits, total)) return { wait: 0 };
      this.#begin(name);
      return isLocked ? { lockedFor } : {};
    }

    /** Ends an attempt that came to nothing. */
    async dropped(part?: string): Promise<void> {
      const index = this.#running.findIndex((each) => each.part === part);
      this.#running = this.#running.filter((_, at) => at !== index);
    }

    /** Counts a wrong credential. */
    async failed(limits: AttemptLimits, part?: string): Promise<void> {
      const now = this.#clock();
      await this.dropped(part);
      const [total, from] = await Promise.all([this.#total(), this.#part(part)]);
      const trusted = isTrusted(from, now);
      // While it is locked there is nothing to count, and a flood is not to write.
      if (!trusted && secondsToWait(total, now) === undefined) {
        await this.ctx.storage.put(TOTAL, afterFailure(total, now, limits.total));
      }
      if (part !== undefined) {
        await this.#putPart(part, from, { ...afterFailure(from, now, limits.perPart), trusted });
      }
      await this.#forgetLater();
    }

    /** Takes a right credential down. */
    async succeeded(address: string): Promise<void> {
      const now = this.#clock();
      await this.dropped(address);
      const [total, from] = await Promise.all([this.#total(), this.#part(address)]);
      const trusted = isTrusted(from, now);
      const forgiven = trusted ? 0 : (from?.failures ?? 0);
      if (total !== undefined && forgiven > 0) await this.ctx.storage.put(TOTAL, afterSuccess(total, now, forgiven));
      if (trusted && from?.failures === 0 && now - from.at < FRESH) return;
      await this.#putPart(address, from, { failures: 0, lockedUntil: 0, at: now, trusted: true });
      await this.#forgetLater();
    }

    /** Forgets what has been quiet for a day. */
    override async alarm(): Promise<void> {
      const now = this.#clock();
      const all = await this.ctx.storage.list<Attempts>();
      const old = [...all].filter(([, { at }]) => now - at >= FORGET_AFTER).map(([key]) => key);
      if (old.length === all.size) {
        await this.ctx.storage.deleteAll();
        this.#parts = undefined;
        return;
      }
      await this.#deleteParts(old);
      await this.ctx.storage.setAlarm(now + FORGET_AFTER);
    }

    #begin(part: string | undefined): void {
      this.#running = [...this.#running, { part, at: this.#clock() }];
    }

    #isFull({ total: limit }: AttemptLimits, attempts: Attempts | undefined): boolean {
      return this.#alive().length >= Math.max(1, limit - (attempts?.failures ?? 0));
    }

    #isPartFull(
      { perPart }: AttemptLimits,
      part: string,
      attempts: Attempts | undefined,
      oneAtATime: boolean,
    ): boolean {
      const running = this.#alive().filter((each) => each.part === part).length;
      return running >= (oneAtATime ? 1 : Math.max(1, perPart - (attempts?.failures ?? 0)));
    }

    #alive() {
      const now = this.#clock();
      this.#running = this.#running.filter(({ at }) => now - at < LONGEST_ATTEMPT);
      return this.#running;
    }

    #total(): Promise<Attempts | undefined> {
      return this.ctx.storage.get<Attempts>(TOTAL);
    }

    async #part(part: string | undefined): Promise<PartAttempts | undefined> {
      return part === undefined ? undefined : this.ctx.storage.get<PartAttempts>(partKey(part));
    }

    async #putPart(part: string, before: PartAttempts | undefined, attempts: PartAttempts): Promise<void> {
      await this.ctx.storage.put(partKey(part), attempts);
      if (before !== undefined) return;
      this.#parts = this.#parts === undefined ? (await this.#allParts()).length : this.#parts + 1;
      if (this.#parts <= MAX_PARTS) return;
      const all = (await this.#allParts()).toSorted(
        ([, a], [, b]) => Number(a.trusted) - Number(b.trusted) || a.at - b.at,
      );
      await this.#deleteParts(all.slice(0, MAX_PARTS / 2).map(([key]) => key));
    }

    async #allParts(): Promise<[string, PartAttempts][]> {
      return [...(await this.ctx.storage.list<PartAttempts>({ prefix: PART_PREFIX }))];
    }

    async #deleteParts(keys: readonly string[]): Promise<void> {
      for (const key of keys) await this.ctx.storage.delete(key);
      this.#parts = undefined;
    }

    async #forgetLater(): Promise<void> {
      if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(this.#clock() + FORGET_AFTER);
    }
  };
}

/** Seconds until a part may be tried again; 0 if it may be now. */
function partWait(attempts: Attempts | undefined, now: number, isAddressLocked: boolean): number {
  const locked = secondsToWait(attempts, now) ?? 0;
  if (!isAddressLocked) return locked;
  return Math.max(locked, TRICKLE_SECONDS - (secondsSinceFailure(attempts, now) ?? TRICKLE_SECONDS));
}
