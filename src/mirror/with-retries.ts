import type { Sleep } from "./ports.ts";
import { isTransient, RegistryError } from "./registry.ts";

/** How often and how soon something that failed for the moment is tried again. Times in milliseconds. */
export interface RetryPolicy {
  /** Tries in all, the first included. */
  readonly attempts: number;
  /** Upper bound of the first wait; it doubles with each try. */
  readonly initial: number;
  /** No wait is drawn from more than this. */
  readonly maximum: number;
}

/** What retries work with. */
export interface RetryPorts {
  readonly sleep: Sleep;
  /** A number from 0 to 1. */
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** Told before each wait. */
  readonly onRetry?: (failure: { readonly attempt: number; readonly wait: number; readonly error: unknown }) => void;
}

/**
 * Tries `work` again while it fails for reasons that may pass. The waits have full jitter, which spreads callers that
 * failed together; a registry's own `Retry-After` wins when it is longer.
 * @throws what `work` threw last, or the signal's reason
 */
export async function withRetries<T>(
  work: (attempt: number) => Promise<T>,
  retry: RetryPolicy,
  ports: RetryPorts,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    ports.signal.throwIfAborted();
    try {
      return await work(attempt);
    } catch (error) {
      ports.signal.throwIfAborted();
      if (attempt >= retry.attempts || !isTransient(error)) throw error;
      const wait = retryWait(attempt, retry, error, ports.random);
      ports.onRetry?.({ attempt, wait, error });
      await ports.sleep(wait, ports.signal);
    }
  }
}

/** Milliseconds to wait after try number `attempt`, which ended with `error`. */
export function retryWait(attempt: number, retry: RetryPolicy, error: unknown, random: () => number): number {
  const drawn = random() * Math.min(retry.maximum, retry.initial * 2 ** (attempt - 1));
  const asked = error instanceof RegistryError ? (error.retryAfter ?? 0) : 0;
  return Math.round(Math.max(drawn, asked));
}
