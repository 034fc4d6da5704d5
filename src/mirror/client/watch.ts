import { RegistryError } from "../registry.ts";

/** Ends a call when its caller does, or when nothing happens for too long. */
export interface Watch {
  readonly signal: AbortSignal;
  /** From now, something has to happen within `duration` milliseconds; replaces what was expected before. */
  expect(duration: number, what: string): void;
  /** Nothing is expected. */
  rest(): void;
  /** The call is over; lets go of timers and listeners. */
  end(): void;
}

/**
 * A watch that also ends with each of `parents`, for their reason; its own reason is a transient `RegistryError`. What is
 * expected may change with every piece of a stream, so that only moves a time: there is one timer, which looks at it.
 * @param now milliseconds, as timers count them
 */
export function createWatch(
  registry: string,
  parents: readonly (AbortSignal | undefined)[],
  now: () => number = Date.now,
): Watch {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let armedUntil = 0;
  let expected: { readonly until: number; readonly duration: number; readonly what: string } | undefined;
  let over = false;
  const arm = (until: number): void => {
    clearTimeout(timer);
    armedUntil = until;
    timer = setTimeout(look, until - now());
  };
  const look = (): void => {
    timer = undefined;
    if (expected === undefined) return;
    if (now() < expected.until) return arm(expected.until);
    const { duration, what } = expected;
    controller.abort(new RegistryError("transient", `${registry}: ${what} within ${duration / 1000} seconds`));
  };
  const listeners = parents.flatMap((parent) => {
    if (parent === undefined) return [];
    const listener = () => controller.abort(parent.reason);
    if (parent.aborted) listener();
    else parent.addEventListener("abort", listener, { once: true });
    return [() => parent.removeEventListener("abort", listener)];
  });
  return {
    signal: controller.signal,
    expect(duration, what) {
      if (over) return;
      const until = now() + duration;
      expected = { until, duration, what };
      if (timer === undefined || until < armedUntil) arm(until);
    },
    rest() {
      expected = undefined;
    },
    end() {
      over = true;
      expected = undefined;
      clearTimeout(timer);
      for (const remove of listeners) remove();
    },
  };
}
