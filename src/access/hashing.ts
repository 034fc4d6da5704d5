import { err, ok, type Result } from "../platform/index.ts";
import { type TurnPorts, Turns } from "./turns.ts";

/** Computes a password hash when its turn comes; `busy` if there are too many before it. */
export type Hashing = <T>(work: () => Promise<T>) => Promise<Result<T, "busy">>;

/**
 * Times in milliseconds. A hash keeps the isolate from everything else while it is computed: between two of them there is
 * time for requests that need none.
 */
const LIMITS = { total: 16, perGroup: 16, patience: 10_000, lease: 15_000, rest: 100 } as const;

/** One hash at a time in an isolate. */
export function createHashing(ports: TurnPorts): Hashing {
  const turns = new Turns(LIMITS, ports);
  return async (work) => {
    const leave = await turns.take({ key: "hash" });
    if (leave === undefined) return err("busy");
    try {
      return ok(await work());
    } finally {
      leave();
    }
  };
}
