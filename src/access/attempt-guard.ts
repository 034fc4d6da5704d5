import { createHash } from "node:crypto";
import type { Log } from "../platform/index.ts";
import { addressBlock } from "./address-block.ts";
import type { AddressAnswer, AttemptLimits, LoginGuardCalls } from "./login-guard.ts";

/** Who tries to sign in: by which name, and from which address. */
export interface AttemptSubject {
  readonly name: string;
  /** Whether there is a password of that name. */
  readonly isAccount: boolean;
  /** Absent where addresses are not known: all who come from such ones are counted together. */
  readonly address?: string;
}

/** Whether an attempt may be made. */
export type Admission =
  /** With `lockedFor`, in seconds, the address is locked, and whatever is wrong is answered as a lock. */
  | { readonly admitted: true; readonly lockedFor?: number }
  /** Seconds to wait, since the name is locked for that address; 0 if too many attempts are under way. */
  | { readonly admitted: false; readonly retryAfterSeconds: number };

/** Counts wrong credentials, and keeps those out who show too many. */
export interface AttemptGuard {
  /** Begins an attempt, which one of the others ends; an attempt that takes half a minute has ended. */
  check(subject: AttemptSubject): Promise<Admission>;
  failed(subject: AttemptSubject): Promise<void>;
  /** Ends an attempt that was not looked at after all. */
  dropped(subject: AttemptSubject): Promise<void>;
  /** Resets the account for that address, not the address. */
  succeeded(subject: AttemptSubject): Promise<void>;
}

/** An account is locked for everyone after this many times the attempts, an address after that many. */
const ACCOUNT_FACTOR = 10;
const ADDRESS_FACTOR = 4;

/** Stands for all addresses that are not known, which together have as many attempts as an account. */
const UNKNOWN = "unknown";

/**
 * The name of the object that guards an account. Names of objects are kept, and what someone typed as a user name may
 * have been a password.
 */
export function accountGuard(account: string): string {
  return `account:${digestOf(account)}`;
}

/**
 * The guard over its Durable Objects, one per account and one per address. `attempts` is `LOGIN_ATTEMPTS`. A name that is
 * no account has no object. Where the objects cannot be reached it lets everyone try, and logs an error: signing in must
 * not depend on them.
 */
export function attemptGuard(namespace: DurableObjectNamespace, attempts: number, log: Log): AttemptGuard {
  const guardOf = (name: string) => namespace.get(namespace.idFromName(name)) as unknown as LoginGuardCalls;
  const accountLimits: AttemptLimits = { total: ACCOUNT_FACTOR * attempts, perPart: attempts };
  const addressLimits: AttemptLimits = { total: ADDRESS_FACTOR * attempts, perPart: attempts };
  const unknownLimits: AttemptLimits = { total: ACCOUNT_FACTOR * attempts, perPart: attempts };

  async function reached<T>(call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await call();
    } catch (error) {
      log.error("login-guard.unreachable", { error });
      return undefined;
    }
  }

  function partsOf({ name, isAccount, address }: AttemptSubject) {
    const block = address === undefined ? UNKNOWN : addressBlock(address);
    return {
      block,
      limits: address === undefined ? unknownLimits : addressLimits,
      // Only names without an object of their own are counted by that of the address.
      name: isAccount ? undefined : digestOf(name),
      ofAddress: <T>(call: (guard: LoginGuardCalls) => Promise<T>) => reached(() => call(guardOf(`address:${block}`))),
      ofAccount: <T>(call: (guard: LoginGuardCalls) => Promise<T>) => reached(() => call(guardOf(accountGuard(name)))),
    };
  }

  return {
    async check(subject) {
      const { block, limits, name, ofAddress, ofAccount } = partsOf(subject);
      const { wait, lockedFor } = (await ofAddress((guard) => guard.checkAddress(limits, name))) ?? ANYTHING;
      if (wait !== undefined) return { admitted: false, retryAfterSeconds: wait };
      const isLocked = lockedFor !== undefined;
      const accountWait = subject.isAccount
        ? await ofAccount((guard) => guard.checkAccount(accountLimits, block, isLocked))
        : undefined;
      if (accountWait === undefined) return { admitted: true, ...(isLocked && { lockedFor }) };
      await ofAddress((guard) => guard.dropped(name));
      return { admitted: false, retryAfterSeconds: accountWait };
    },
    async failed(subject) {
      const { block, limits, name, ofAddress, ofAccount } = partsOf(subject);
      await Promise.all([
        ofAddress((guard) => guard.failed(limits, name)),
        ...(subject.isAccount ? [ofAccount((guard) => guard.failed(accountLimits, block))] : []),
      ]);
    },
    async dropped(subject) {
      const { block, name, ofAddress, ofAccount } = partsOf(subject);
      await Promise.all([
        ofAddress((guard) => guard.dropped(name)),
        ...(subject.isAccount ? [ofAccount((guard) => guard.dropped(block))] : []),
      ]);
    },
    async succeeded(subject) {
      const { block, name, ofAddress, ofAccount } = partsOf(subject);
      await Promise.all([ofAccount((guard) => guard.succeeded(block)), ofAddress((guard) => guard.dropped(name))]);
    },
  };
}

const ANYTHING: AddressAnswer = {};

function digestOf(name: string): string {
  return createHash("sha256").update(name).digest("hex");
}
