import { err, ok, type Result } from "../platform/index.ts";
import { type AdmissionPorts, AdmissionQueue } from "./admission-queue.ts";

/** Computes a password hash when it is admitted; `busy` if too many are before it. */
export type Hashing = <T>(work: () => Promise<T>) => Promise<Result<T, "busy">>;

/**
 * Times in milliseconds. A hash keeps the isolate from everything else while it is computed: between two of them there is
 * time for requests that need none.
 */
const LIMITS = { total: 16, perGroup: 16, patience: 10_000, lease: 15_000, rest: 100 } as const;

/** One hash at a time in an isolate. */
export function createHashing(ports: AdmissionPorts): Hashing {
  const queue = new AdmissionQueue(LIMITS, ports);
  return async (work) => {
    const release = await queue.acquire({ key: "hash" });
    if (release === undefined) return err("busy");
    try {
      return ok(await work());
    } finally {
      release();
    }
  };
}
