import type { Clock } from "../platform/index.ts";
import type { PartBuffer, PartMemory } from "./part-memory.ts";

/** How long a part may take to fill while it is in memory, in milliseconds. Whoever needs longer does without. */
const FILL_MS = 10_000;

/** Where parts go. */
export interface PartSink {
  /** Stores a whole part: what was set aside of it, then `rest`, whose memory is not kept. */
  store(rest: Uint8Array): Promise<void>;
  /** Keeps more bytes of a part that is not whole, in order. Their memory is not kept. */
  setAside(bytes: Uint8Array): void;
}

/**
 * Cuts bytes that arrive in chunks of any length into parts of one size. Quick senders fill a part in memory that is lent,
 * while the one before it is on its way to the store. When there is none to be had, or when they are slow, the bytes are
 * set aside as they come, which takes no memory and is slower; so nobody who sends slowly stands in others' way.
 */
export class PartCutter {
  readonly #memory: PartMemory;
  readonly #sink: PartSink;
  readonly #clock: Clock;
  /** Bytes of the unfinished part that were set aside. */
  #aside: number;
  #buffer: PartBuffer | undefined;
  #filled = 0;
  /** Resolves to true when the buffer has been had for long enough. */
  #overdue: Promise<boolean> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #storing: Promise<void> | undefined;
  #slow = false;
  #begun: number;

  /** @param aside bytes that were set aside before */
  constructor(memory: PartMemory, sink: PartSink, clock: Clock, aside = 0) {
    this.#memory = memory;
    this.#sink = sink;
    this.#clock = clock;
    this.#aside = aside;
    this.#begun = clock();
  }

  /**
   * Takes chunks until there are no more; what then is no whole part is set aside. Resolves to the error of chunks that
   * broke off.
   * @param taken is told of each chunk as it comes
   * @throws what the sink throws
   */
  async receive(
    chunks: AsyncIterator<Uint8Array, void>,
    taken: (chunk: Uint8Array) => void,
  ): Promise<{ readonly interrupted?: unknown }> {
    let outcome = {};
    try {
      for (;;) {
        const next = await this.#arrival(chunks.next().catch((interrupted: unknown) => ({ interrupted })));
        if ("interrupted" in next) outcome = next;
        if ("interrupted" in next || next.done) break;
        taken(next.value);
        await this.#take(next.value);
      }
      await this.#giveBack();
      return outcome;
    } finally {
      this.#release();
    }
  }

  /** Waits for the next chunk, and meanwhile gives memory back that has been had for too long. */
  async #arrival<T>(next: Promise<T>): Promise<T> {
    if (this.#overdue !== undefined && (await Promise.race([next.then(() => false), this.#overdue]))) {
      await this.#giveBack();
      this.#slow = true;
    }
    return next;
  }

  async #take(chunk: Uint8Array): Promise<void> {
    for (let taken = 0; taken < chunk.byteLength;) {
      if (this.#buffer === undefined && !this.#slow) await this.#borrow();
      const room = this.#memory.partSize - this.#aside - this.#filled;
      const piece = chunk.subarray(taken, taken + room);
      taken += piece.byteLength;
      if (this.#buffer !== undefined) {
        this.#buffer.bytes.set(piece, this.#filled);
        this.#buffer.renew();
        this.#filled += piece.byteLength;
        if (piece.byteLength === room) await this.#store(this.#buffer.bytes.subarray(0, this.#filled));
      } else if (piece.byteLength === room) await this.#store(piece);
      else {
        await this.#settle();
        this.#sink.setAside(piece);
        this.#aside += piece.byteLength;
      }
    }
  }

  async #borrow(): Promise<void> {
    this.#buffer = await this.#memory.borrow();
    if (this.#buffer === undefined) {
      this.#slow = true;
      return;
    }
    this.#overdue = new Promise((resolve) => {
      this.#timer = setTimeout(() => resolve(true), FILL_MS);
    });
  }

  /** Has a whole part stored: in the background, if all of it is in memory that was lent for it. */
  async #store(rest: Uint8Array): Promise<void> {
    await this.#settle();
    const buffer = this.#buffer;
    const alone = buffer !== undefined && this.#aside === 0;
    const storing = this.#sink.store(rest).finally(() => buffer?.release());
    storing.catch(() => {});
    this.#storing = storing;
    this.#buffer = undefined;
    this.#release();
    this.#aside = 0;
    if (!alone) await this.#settle();
    const now = this.#clock();
    this.#slow = now - this.#begun > FILL_MS;
    this.#begun = now;
  }

  /** Sets aside what is in memory. Parts before it are stored by then: what is set aside is always of one part. */
  async #giveBack(): Promise<void> {
    await this.#settle();
    if (this.#buffer !== undefined) {
      this.#sink.setAside(this.#buffer.bytes.subarray(0, this.#filled));
      this.#aside += this.#filled;
    }
    this.#release();
  }

  #release(): void {
    clearTimeout(this.#timer);
    this.#overdue = undefined;
    this.#filled = 0;
    this.#buffer?.release();
    this.#buffer = undefined;
  }

  /** @throws what the sink threw while it stored the part before */
  async #settle(): Promise<void> {
    const storing = this.#storing;
    this.#storing = undefined;
    await storing;
  }
}
