import type { Clock } from "../platform/index.ts";

/** How many are admitted or wait, and for how long. Times are in milliseconds. */
export interface AdmissionLimits {
  /** Requests that are admitted or wait, in all and of one group. */
  readonly total: number;
  readonly perGroup: number;
  /** How long one waits at most. */
  readonly patience: number;
  /** After this long an admission ends, also if it was not released: its request may have been cut off. */
  readonly lease: number;
  /** How long nobody is admitted under a key after a release. */
  readonly rest: number;
}

/** What waiting works with. */
export interface AdmissionPorts {
  readonly clock: Clock;
  /** Waits, in milliseconds. */
  readonly sleep: (duration: number) => Promise<void>;
}

/** Who wants to be admitted. */
export interface AdmissionRequest {
  /** Those of one key are admitted one at a time. */
  readonly key: string;
  /** Counted together, such as all from one address; absent for those that are counted in the total only. */
  readonly group?: string | undefined;
  /** Asked while waiting: `true` ends it, since nothing is left to do. */
  readonly isDone?: () => boolean;
}

interface Ticket {
  readonly group: string | undefined;
  /** Until when it counts; whoever waits renews it. */
  until: number;
}

/** How often those who wait look, and for how long one that does not look any more keeps its place, in milliseconds. */
const POLL = 25;
const STALE = 1000;

/**
 * A bounded first-in, first-out queue for each key: one request of a key is admitted at a time, in order of arrival, and
 * what does not fit into the limits is refused at once. Everyone polls by a timer of their own and for a bounded time: a
 * request that was cut off holds up nobody, as it would by a promise that it was to resolve.
 */
export class AdmissionQueue {
  readonly #limits: AdmissionLimits;
  readonly #ports: AdmissionPorts;
  readonly #queues = new Map<string, Ticket[]>();
  readonly #restUntil = new Map<string, number>();

  constructor(limits: AdmissionLimits, ports: AdmissionPorts) {
    this.#limits = limits;
    this.#ports = ports;
  }

  /** Resolves to the function that releases the key; `undefined` if too many are in the queue, or it took too long. */
  async acquire({ key, group, isDone }: AdmissionRequest): Promise<(() => void) | undefined> {
    const { clock, sleep } = this.#ports;
    const ticket = this.#enter(key, group);
    if (ticket === undefined) return undefined;
    for (let waited = 0; !this.#isNext(key, ticket); waited += POLL) {
      if (waited >= this.#limits.patience || isDone?.() === true) {
        this.#leave(key, ticket);
        return undefined;
      }
      await sleep(POLL);
      ticket.until = clock() + STALE;
    }
    ticket.until = clock() + this.#limits.lease;
    return () => {
      if (this.#limits.rest > 0) this.#restUntil.set(key, clock() + this.#limits.rest);
      this.#leave(key, ticket);
    };
  }

  #enter(key: string, group: string | undefined): Ticket | undefined {
    this.#forgetStale();
    const all = [...this.#queues.values()].flat();
    if (all.length >= this.#limits.total) return undefined;
    const isFull = all.filter((ticket) => ticket.group === group).length >= this.#limits.perGroup;
    if (group !== undefined && isFull) return undefined;
    const ticket: Ticket = { group, until: this.#ports.clock() + STALE };
    this.#queues.set(key, [...(this.#queues.get(key) ?? []), ticket]);
    return ticket;
  }

  #isNext(key: string, ticket: Ticket): boolean {
    const now = this.#ports.clock();
    if (now < (this.#restUntil.get(key) ?? 0)) return false;
    const queue = this.#queues.get(key) ?? [];
    return queue.find((each) => each === ticket || each.until > now) === ticket;
  }

  #leave(key: string, ticket: Ticket): void {
    const rest = (this.#queues.get(key) ?? []).filter((each) => each !== ticket);
    if (rest.length > 0) this.#queues.set(key, rest);
    else this.#queues.delete(key);
  }

  #forgetStale(): void {
    const now = this.#ports.clock();
    for (const [key, queue] of this.#queues) {
      for (const ticket of queue) if (ticket.until <= now) this.#leave(key, ticket);
    }
    for (const [key, until] of this.#restUntil) if (until <= now) this.#restUntil.delete(key);
  }
}
