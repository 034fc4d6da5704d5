/** `work`, or the signal's reason as soon as it is aborted, even if `work` does not listen. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const scope = abortScope(signal);
  try {
    return await scope.until(work);
  } finally {
    scope.end();
  }
}

/** Waits for one thing after the other, as long as a signal is not aborted. */
export interface AbortScope {
  /** `work`, or the signal's reason as soon as it is aborted. One is waited for at a time. */
  until<T>(work: Promise<T>): Promise<T>;
  /** Lets go of the signal. */
  end(): void;
}

/** A scope listens to its signal once, however much is waited for: a stream has thousands of pieces. */
export function abortScope(signal: AbortSignal): AbortScope {
  let stop: ((reason: unknown) => void) | undefined;
  const listener = (): void => stop?.(signal.reason);
  signal.addEventListener("abort", listener, { once: true });
  return {
    until: (work) =>
      new Promise((resolve, reject) => {
        // The loser may fail later, when nobody looks any more: that is no unhandled rejection.
        work.then(resolve, reject);
        if (signal.aborted) reject(signal.reason as Error);
        else stop = reject;
      }),
    end() {
      stop = undefined;
      signal.removeEventListener("abort", listener);
    },
  };
}
