import type { Clock } from "./clock.ts";

/** What taking turns works with. */
export interface TurnPorts {
  readonly clock: Clock;
  /** Resolves after `milliseconds`, by a timer: `scheduler.wait`. */
  readonly wait: (milliseconds: number) => Promise<unknown>;
}

/** How long the isolate may work without looking at its sockets, in milliseconds. */
const TURN_MS = 20;

/**
 * How long it then rests. With 0 the runtime looks once and goes on, and a request needs several looks: to be accepted,
 * to be read, to be answered.
 */
const REST_MS = 1;

/**
 * Lets the runtime look at its sockets while it has much to do. On a self-host the database, the Durable Objects and the
 * queues are in the process of the Worker, and whoever waits for them has the answer before the event loop comes to its
 * sockets: a long row of such calls would be answered whole before anybody else is heard. Only a timer ends the row.
 * It is the isolate that works, so one object counts for all of its requests.
 */
export class Turns {
  readonly #ports: TurnPorts;
  #since: number;

  constructor(ports: TurnPorts) {
    this.#ports = ports;
    this.#since = ports.clock();
  }

  /** A request has come in, so the sockets have just been looked at. */
  heard(): void {
    this.#since = this.#ports.clock();
  }

  /** Rests now: between pieces of work that wait for nothing, through which the runtime's clock stands still. */
  async rest(): Promise<void> {
    const { clock, wait } = this.#ports;
    await wait(REST_MS);
    this.#since = clock();
  }

  /** Resolves at once, or after a rest if none has been for long. Call before each piece of work. */
  async next(): Promise<void> {
    if (this.#ports.clock() - this.#since >= TURN_MS) await this.rest();
  }
}

/** Does work that comes in pieces, and rests after each. */
export async function inTurns<T>(work: Generator<void, T>, rest: () => Promise<void>): Promise<T> {
  for (let step = work.next(); ; step = work.next()) {
    if (step.done === true) return step.value;
    await rest();
  }
}
