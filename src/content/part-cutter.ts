import type { PartBuffer, PartBuffers } from "./part-buffers.ts";

/** Parts that may be on their way to the store while the next one fills. */
const PARTS_IN_FLIGHT = 1;

/**
 * Cuts bytes that arrive in chunks of any length into parts of one size. `store` is called with each full part, in
 * order; what is left at the end is the tail, which a later cutter is started with.
 */
export class PartCutter {
  readonly #buffers: PartBuffers;
  readonly #store: (part: Uint8Array) => Promise<void>;
  readonly #inFlight: Promise<void>[] = [];
  #filling: PartBuffer | undefined;
  #filled = 0;

  constructor(buffers: PartBuffers, store: (part: Uint8Array) => Promise<void>) {
    this.#buffers = buffers;
    this.#store = store;
  }

  /** Takes a chunk. Its memory is not kept. @throws what `store` threw for an earlier part */
  async push(chunk: Uint8Array): Promise<void> {
    for (let taken = 0; taken < chunk.byteLength;) {
      this.#filling ??= await this.#buffers.borrow();
      const { bytes } = this.#filling;
      const piece = chunk.subarray(taken, taken + bytes.byteLength - this.#filled);
      bytes.set(piece, this.#filled);
      this.#filled += piece.byteLength;
      taken += piece.byteLength;
      if (this.#filled === bytes.byteLength) await this.#flush();
    }
  }

  /** The bytes that do not fill a part; valid until the next call. */
  get tail(): Uint8Array {
    return this.#filling?.bytes.subarray(0, this.#filled) ?? new Uint8Array(0);
  }

  /** Resolves when every part so far is stored. @throws what `store` threw */
  async settle(): Promise<void> {
    await Promise.all(this.#inFlight.splice(0));
  }

  /** Gives its memory back; the cutter is not used afterwards. */
  release(): void {
    this.#filling?.release();
    this.#filling = undefined;
    this.#filled = 0;
  }

  async #flush(): Promise<void> {
    const part = this.#filling;
    if (part === undefined) return;
    this.#filling = undefined;
    this.#filled = 0;
    if (this.#inFlight.length >= PARTS_IN_FLIGHT) await this.#inFlight.shift();
    const stored = this.#store(part.bytes).finally(() => part.release());
    stored.catch(() => {});
    this.#inFlight.push(stored);
  }
}
