import type { Clock } from "./clock.ts";

/** A permit, lent for a time. */
export interface Lease {
  /** Says that the holder lives and gets on: the time begins anew. */
  renew(): void;
  release(): void;
}

/** How often who waits looks whether there is something for them, in milliseconds. */
const LOOK_MS = 20;
/** Who has not looked for so long, in milliseconds, does not wait any more. */
const GONE_MS = 1000;

/**
 * At most `count` permits, for holders that may vanish without a word, as a Durable Object that is reset does: a lease that
 * was not renewed for `term` milliseconds goes to somebody else. Nobody waits without a bound, and those who wait have
 * their turn in order of arrival.
 *
 * Who waits looks by themselves, with a timer of their own: a promise that another Durable Object of the isolate resolves
 * may go on in the wrong one, where every stream and timer of the right one fails.
 */
export class Leases {
  readonly #count: number;
  readonly #term: number;
  readonly #clock: Clock;
  /** When each lease ends, in milliseconds since the Unix epoch. */
  readonly #held = new Map<Lease, number>();
  /** Who waits, in order of arrival, and until when each is believed to, in milliseconds since the Unix epoch. */
  readonly #waiting = new Map<object, number>();

  constructor(count: number, term: number, clock: Clock) {
    this.#count = count;
    this.#term = term;
    this.#clock = clock;
  }

  /** Resolves to a lease, or to nothing if there was none for `patience` milliseconds. */
  async acquire(patience: number): Promise<Lease | undefined> {
    const waiter = {};
    try {
      for (let waited = 0; ; waited += LOOK_MS) {
        this.#waiting.set(waiter, this.#clock() + GONE_MS);
        if (this.#hasTurn(waiter)) return this.#lend();
        if (waited >= patience) return undefined;
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    } finally {
      this.#waiting.delete(waiter);
    }
  }

  /** Leases that have not ended, and those who wait for one. */
  get demand(): number {
    this.#forget();
    return this.#held.size + this.#waiting.size;
  }

  #hasTurn(waiter: object): boolean {
    this.#forget();
    let free = this.#count - this.#held.size;
    for (const next of this.#waiting.keys()) {
      if (free <= 0) return false;
      if (next === waiter) return true;
      free -= 1;
    }
    return false;
  }

  #lend(): Lease {
    let released = false;
    const lease: Lease = {
      renew: () => {
        if (!released) this.#held.set(lease, this.#clock() + this.#term);
      },
      release: () => {
        released = true;
        this.#held.delete(lease);
      },
    };
    lease.renew();
    return lease;
  }

  #forget(): void {
    const now = this.#clock();
    for (const [lease, end] of this.#held) if (end <= now) this.#held.delete(lease);
    for (const [waiter, end] of this.#waiting) if (end <= now) this.#waiting.delete(waiter);
  }
}
