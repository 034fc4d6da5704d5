import { Semaphore } from "../platform/index.ts";

/** A part's memory, lent until `release`. */
export interface PartBuffer {
  readonly bytes: Uint8Array;
  release(): void;
}

/**
 * The memory that all uploads of one isolate share: at most `count` buffers of `size` bytes exist, and an upload
 * that needs one waits for another's part to be stored. However many clients push, memory stays bounded.
 */
export class PartBuffers {
  readonly size: number;
  readonly #permits: Semaphore;
  readonly #idle: Uint8Array[] = [];

  constructor(size: number, count: number) {
    this.size = size;
    this.#permits = new Semaphore(count);
  }

  async borrow(): Promise<PartBuffer> {
    const release = await this.#permits.acquire();
    const bytes = this.#idle.pop() ?? new Uint8Array(this.size);
    let lent = true;
    return {
      bytes,
      release: () => {
        if (!lent) return;
        lent = false;
        this.#idle.push(bytes);
        release();
      },
    };
  }
}
