import type { D1PreparedStatement, D1Result } from "@cloudflare/workers-types";
import { Unavailable } from "./retries.ts";

/** Statements of one batch: its results are in memory together. */
const MOST = 20;

/** A read that waits for the others of its turn. */
interface Read {
  readonly statement: D1PreparedStatement;
  /** Sends it by itself. */
  readonly alone: () => Promise<void>;
  readonly answered: (result: D1Result) => void;
  readonly failed: (error: unknown) => void;
}

/** How a batch of reads is sent. */
export type SendReads = (statements: D1PreparedStatement[]) => Promise<D1Result[]>;

/**
 * Sends the reads that are issued in the same turn as one batch: one crossing to the database, and one state of it. A turn
 * ends where the code that issues them waits for something, so they are always of one request: an isolate cannot do the
 * I/O of another. Only reads: what is written in one batch fails as a whole. Reads that are sent together are answered as
 * of one moment; when a batch fails, they are sent one by one in their order, and each has a failure of its own.
 */
export class GatheredReads {
  readonly #send: SendReads;
  #reads: Read[] = [];

  constructor(send: SendReads) {
    this.#send = send;
  }

  /**
   * @param alone sends it and answers, as if there were no others
   * @param from what to answer of a result
   */
  read<T>(statement: D1PreparedStatement, alone: () => Promise<T>, from: (result: D1Result) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const read: Read = {
        statement,
        alone: () => alone().then(resolve, reject),
        answered: (result) => {
          try {
            resolve(from(result));
          } catch (error) {
            reject(error);
          }
        },
        failed: reject,
      };
      this.#reads.push(read);
      if (this.#reads.length === 1) queueMicrotask(() => this.#flush());
      else if (this.#reads.length === MOST) this.#flush();
    });
  }

  #flush(): void {
    const reads = this.#reads;
    this.#reads = [];
    const [only] = reads;
    if (only === undefined) return;
    void (reads.length === 1 ? only.alone() : this.#together(reads));
  }

  async #together(reads: readonly Read[]): Promise<void> {
    try {
      const results = await this.#send(reads.map(({ statement }) => statement));
      for (const [index, read] of reads.entries()) {
        const result = results[index];
        if (result === undefined) read.failed(new Error("the database answered fewer statements than it was sent"));
        else read.answered(result);
      }
    } catch (error) {
      if (error instanceof Unavailable) for (const read of reads) read.failed(error);
      else for (const read of reads) await read.alone();
    }
  }
}
