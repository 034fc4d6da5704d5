import { RegistryError } from "../../mirror/index.ts";

/** Calls of each kind, and bytes. */
export interface CallLimits {
  /** To registries and to Durable Objects. */
  readonly requests: number;
  /** Of the database. */
  readonly queries: number;
  /** That are copied. */
  readonly bytes: number;
}

/**
 * Calls that one message makes of each kind, at most. The rest of what the platform lets it make is for its own upkeep,
 * such as looking whether it is to stop. Bytes cost CPU time, of which `cpu_ms` in wrangler.toml
 * gives a message 300 seconds: a gigabyte takes less than 15 (bench/sync-cpu.ts), the parts that are under way included.
 * @see Cloudflare Workers, limits, "Subrequests": 10,000; D1, limits, "Queries per Worker invocation": 1,000
 */
const MOST: CallLimits = { requests: 6000, queries: 500, bytes: 10_000_000_000 };
/** With less than this share left, a message begins nothing more. */
const LOW = 0.1;

/** Counts what a message calls, so that it hands over to another before the platform ends it. */
export class CallMeter {
  readonly #most: CallLimits;
  #requests: number;
  #queries: number;
  #bytes: number;

  constructor(most = MOST) {
    this.#most = most;
    this.#requests = most.requests;
    this.#queries = most.queries;
    this.#bytes = most.bytes;
  }

  /** Whether it is time to begin nothing more. */
  get isLow(): boolean {
    const { requests, queries, bytes } = this.#most;
    return this.#requests < LOW * requests || this.#queries < LOW * queries || this.#bytes < LOW * bytes;
  }

  /** Whether nothing more may be called. */
  get isSpent(): boolean {
    return this.#requests <= 0 || this.#queries <= 0 || this.#bytes <= 0;
  }

  /** Counts a request to a registry or to a Durable Object. @throws RegistryError "delayed" if it is one too many */
  request(): void {
    this.#check();
    this.#requests -= 1;
  }

  /** Counts queries of the database. @throws RegistryError "delayed" if they are too many */
  query(count = 1): void {
    this.#check();
    this.#queries -= count;
  }

  /** Counts bytes that were copied. What is under way goes on to the end of its part. */
  bytes(count: number): void {
    this.#bytes -= count;
  }

  #check(): void {
    if (this.isSpent) throw new RegistryError("delayed", "another message goes on with it", { retryAfter: 0 });
  }
}
