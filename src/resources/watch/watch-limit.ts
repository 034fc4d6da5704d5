import type { Clock } from "../../platform/index.ts";

/**
 * After so many milliseconds without a word, a watch is not counted any more: the runtime may end a request without
 * telling its code, and an account must not be kept out by watches that are long gone. Each asks for its next frame every
 * few seconds, also while nothing happens.
 */
const FORGOTTEN_MS = 10 * 60_000;

/** One watch that counts. */
export interface CountedWatch {
  /** It is still there. */
  touch(): void;
  /** It has ended. */
  leave(): void;
}

/** How many watches each account has open in this isolate. */
export class WatchLimit {
  readonly #limit: number;
  readonly #clock: Clock;
  /** When each watch was last heard of, by accounts. */
  readonly #accounts = new Map<string, Map<object, number>>();

  constructor(limit: number, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /** Counts one more; `undefined` if there may not be one more. */
  enter(account: string): CountedWatch | undefined {
    const watches = this.#accounts.get(account) ?? new Map<object, number>();
    const now = this.#clock();
    for (const [watch, seen] of watches) if (now - seen > FORGOTTEN_MS) watches.delete(watch);
    if (watches.size >= this.#limit) return undefined;
    const watch = {};
    watches.set(watch, now);
    this.#accounts.set(account, watches);
    return {
      touch: () => {
        if (watches.has(watch)) watches.set(watch, this.#clock());
      },
      leave: () => {
        watches.delete(watch);
        if (watches.size === 0 && this.#accounts.get(account) === watches) this.#accounts.delete(account);
      },
    };
  }
}
