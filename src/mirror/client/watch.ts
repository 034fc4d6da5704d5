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

/** A watch that also ends with each of `parents`, for their reason; its own reason is a transient `RegistryError`. */
export function createWatch(registry: string, parents: readonly (AbortSignal | undefined)[]): Watch {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let over = false;
  const rest = () => clearTimeout(timer);
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
      rest();
      if (over) return;
      timer = setTimeout(() => {
        controller.abort(new RegistryError("transient", `${registry}: ${what} within ${duration / 1000} seconds`));
      }, duration);
    },
    rest,
    end() {
      over = true;
      rest();
      for (const remove of listeners) remove();
    },
  };
}
