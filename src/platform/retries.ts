import type { Clock } from "./clock.ts";

/** What trying again works with. */
export interface RetryPorts {
  readonly clock: Clock;
  readonly wait: (milliseconds: number) => Promise<unknown>;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** Tries in all; the longest wait before the second one, and before any, in milliseconds; after how long no more are made. */
export const RETRIES = { tries: 5, firstWait: 100, longestWait: 1000, total: 5000 } as const;

/** Seconds after which a client may ask again for what could not be had in all tries. */
const RETRY_AFTER_SECONDS = 2;

/** A part of the platform did not answer. Surfaces say 503 with `Retry-After`, each in its own dialect. */
export class Unavailable extends Error {
  readonly retryAfterSeconds = RETRY_AFTER_SECONDS;

  constructor(what: string, cause: unknown) {
    super(`${what} is not available`, { cause });
  }
}

/**
 * Does something again that failed for a moment, with full jitter: a wait from nothing up to twice the last one's limit,
 * so that those who failed together do not come back together.
 */
export class Retries {
  readonly #ports: RetryPorts;

  constructor(ports: RetryPorts) {
    this.#ports = ports;
  }

  /** @param again whether a failure may be followed by another try @throws the last failure */
  async run<T>(act: () => Promise<T>, again: (error: unknown) => boolean): Promise<T> {
    const { clock, wait, random } = this.#ports;
    const start = clock();
    for (let tried = 1; ; tried += 1) {
      try {
        return await act();
      } catch (error) {
        if (tried >= RETRIES.tries || clock() - start >= RETRIES.total || !again(error)) throw error;
        await wait(random() * Math.min(RETRIES.longestWait, RETRIES.firstWait * 2 ** (tried - 1)));
      }
    }
  }
}

/**
 * Whether a call of a Durable Object failed because the object was reset, or could not be reached. The stub is broken
 * then: another try needs a new one. @see Cloudflare Durable Objects, "Error handling"
 */
export function isObjectReset(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  const { retryable, overloaded } = error as { readonly retryable?: unknown; readonly overloaded?: unknown };
  return retryable === true && overloaded !== true;
}
