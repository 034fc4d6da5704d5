/** How a body has to come. */
export interface BodyPace {
  /** Milliseconds until the body has to be there as a whole. */
  readonly totalMs: number;
  /** Bytes per second at the least, on the average of each window in which only the sender was waited for. */
  readonly leastRate: number;
  /** Milliseconds of a window: how long a sender may pause. */
  readonly windowMs: number;
}

/** For bodies that are read as a whole. A phone on a bad line sends more than this. */
export const BODY_PACE: BodyPace = { totalMs: 60_000, leastRate: 512, windowMs: 10_000 };

/** For bodies that stream to a store, which may take any time as long as they go on. */
export const STREAM_PACE: BodyPace = { totalMs: Number.POSITIVE_INFINITY, leastRate: 1024, windowMs: 30_000 };

/**
 * Watches that a body keeps coming. One timer serves the whole body, not one each chunk: it looks once in a window at how
 * many bytes `got` was told, so a stalled sender is found within two windows. Who reads must call `end`.
 */
export class BodyWatch {
  readonly #pace: BodyPace;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #onStall: () => void;
  #windows = 0;
  #bytes = 0;
  #resting = false;
  #rested = false;

  /** `onStall` is called once at the most. */
  constructor(pace: BodyPace, onStall: () => void) {
    this.#pace = pace;
    this.#onStall = onStall;
    this.#timer = setInterval(() => this.#look(), pace.windowMs);
  }

  /** Bytes came. */
  got(bytes: number): void {
    this.#bytes += bytes;
  }

  /** The receiver is busy: that nothing comes is not the sender's fault, until `resume`. */
  rest(): void {
    this.#resting = true;
    this.#rested = true;
  }

  /** The sender is waited for again. */
  resume(): void {
    this.#resting = false;
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const { totalMs, leastRate, windowMs } = this.#pace;
    this.#windows += 1;
    const slow = !this.#rested && this.#bytes < (leastRate * windowMs) / 1000;
    this.#bytes = 0;
    this.#rested = this.#resting;
    if (!slow && this.#windows * windowMs < totalMs) return;
    this.end();
    this.#onStall();
  }
}
