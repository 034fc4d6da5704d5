import { createHash } from "node:crypto";
import type { Log } from "../platform/index.ts";
import { addressBlock } from "./address-block.ts";
import type { AttemptLimits, LoginGuardCalls } from "./login-guard.ts";

/** Who tries to sign in: as which account, and from which address. */
export interface AttemptSubject {
  readonly account?: string;
  readonly address?: string;
}

/** Counts wrong credentials, and keeps those out who show too many. */
export interface AttemptGuard {
  /**
   * Begins an attempt, which `failed` or `succeeded` ends; an attempt that takes half a minute has ended. Otherwise seconds
   * to wait, if the account or the address is locked out; 0 if too many attempts are under way.
   */
  check(subject: AttemptSubject): Promise<number | undefined>;
  failed(subject: AttemptSubject): Promise<void>;
  /** Resets the account for that address, not the address. */
  succeeded(subject: AttemptSubject): Promise<void>;
}

/** An account is locked for everyone after this many times the attempts, an address after that many. */
const ACCOUNT_FACTOR = 10;
const ADDRESS_FACTOR = 4;

/** Stands for an address that is not known. */
const UNKNOWN = "unknown";

/**
 * The name of the object that guards an account. Names of objects are kept, and what someone typed as a user name may
 * have been a password.
 */
export function accountGuard(account: string): string {
  return `account:${createHash("sha256").update(account).digest("hex")}`;
}

/**
 * The guard over its Durable Objects, one per account and one per address. `attempts` is `LOGIN_ATTEMPTS`. Where the
 * objects cannot be reached it lets everyone try, and logs an error: signing in must not depend on them.
 */
export function attemptGuard(namespace: DurableObjectNamespace, attempts: number, log: Log): AttemptGuard {
  const guardOf = (name: string) => namespace.get(namespace.idFromName(name)) as unknown as LoginGuardCalls;
  const accountLimits: AttemptLimits = { total: ACCOUNT_FACTOR * attempts, perAddress: attempts };
  const addressLimits: AttemptLimits = { total: ADDRESS_FACTOR * attempts, perAddress: ADDRESS_FACTOR * attempts };

  /** Asks the guards that there are for a subject. */
  function each<T>(
    { account, address }: AttemptSubject,
    ofAccount: (guard: LoginGuardCalls, address: string) => Promise<T>,
    ofAddress: (guard: LoginGuardCalls) => Promise<T | undefined>,
  ): Promise<(T | undefined)[]> {
    const block = address === undefined ? undefined : addressBlock(address);
    const calls: Promise<T | undefined>[] = [];
    if (account !== undefined) calls.push(reached(() => ofAccount(guardOf(accountGuard(account)), block ?? UNKNOWN)));
    if (block !== undefined) calls.push(reached(() => ofAddress(guardOf(`address:${block}`))));
    return Promise.all(calls);
  }

  async function reached<T>(call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await call();
    } catch (error) {
      log.error("login-guard.unreachable", { error });
      return undefined;
    }
  }

  return {
    async check(subject) {
      const begun: (() => Promise<void>)[] = [];
      const begin = async (guard: LoginGuardCalls, limits: AttemptLimits, address?: string) => {
        const wait = await guard.check(limits, address);
        if (wait === undefined) begun.push(() => guard.dropped(address));
        return wait;
      };
      const waits = await each(
        subject,
        (guard, address) => begin(guard, accountLimits, address),
        (guard) => begin(guard, addressLimits),
      );
      const wait = Math.max(...waits.map((seconds) => seconds ?? -1));
      if (wait < 0) return undefined;
      await Promise.all(begun.map((drop) => reached(drop)));
      return wait;
    },
    async failed(subject) {
      await each(
        subject,
        (guard, address) => guard.failed(accountLimits, address),
        (guard) => guard.failed(addressLimits),
      );
    },
    async succeeded(subject) {
      await each(
        subject,
        (guard, address) => guard.succeeded(address),
        (guard) => guard.dropped(),
      );
    },
  };
}
