import { type Clock, type Lease, Leases } from "../platform/index.ts";
import { freeBytes } from "./free-bytes.ts";

/**
 * Parts whose bytes are in memory at the same time: 32 MiB of parts of 8 MiB, in an isolate that has 128 MB for everything.
 */
const PARTS = 4;
/** Bodies that are received at the same time; each is read into some memory of its own. */
const BODIES = 128;
/** How long a body waits until it may be received at all, in milliseconds. */
const BODY_PATIENCE_MS = 10_000;
/** How long a part waits for memory, in milliseconds. It can do without, at the price of being written twice. */
const PART_PATIENCE_MS = 10_000;
/** A lease that was not renewed for so long, in milliseconds, was held by an object that is gone. */
const TERM_MS = 120_000;

/** How much of it there is, and how long is waited for it, in milliseconds; tests want less. */
export interface PartMemoryLimits {
  readonly parts?: number;
  readonly bodies?: number;
  readonly partPatience?: number;
  readonly bodyPatience?: number;
}

/** The memory of one part, lent while it fills and while it is stored. */
export interface PartBuffer extends Lease {
  readonly bytes: Uint8Array;
}

/**
 * The memory that all uploads of one isolate share. It is leased: nobody waits for another client without a bound, an
 * object that is reset while it holds some gives it back by its silence, and a part that gets none is set aside in the
 * storage of its object until it is whole.
 */
export class PartMemory {
  readonly partSize: number;
  readonly #parts: Leases;
  readonly #bodies: Leases;
  readonly #partPatience: number;
  readonly #bodyPatience: number;
  readonly #idle: Uint8Array[] = [];

  /** @param partSize bytes of a part */
  constructor(partSize: number, clock: Clock, limits: PartMemoryLimits = {}) {
    this.partSize = partSize;
    this.#parts = new Leases(limits.parts ?? PARTS, TERM_MS, clock);
    this.#bodies = new Leases(limits.bodies ?? BODIES, TERM_MS, clock);
    this.#partPatience = limits.partPatience ?? PART_PATIENCE_MS;
    this.#bodyPatience = limits.bodyPatience ?? BODY_PATIENCE_MS;
  }

  /** Leave to receive a body; nothing if too many are being received. */
  async admit(): Promise<Lease | undefined> {
    return this.#bodies.acquire(this.#bodyPatience);
  }

  /** Memory for a part; nothing if others have it all. */
  async borrow(): Promise<PartBuffer | undefined> {
    const lease = await this.#parts.acquire(this.#partPatience);
    if (lease === undefined) return undefined;
    const bytes = this.#idle.pop() ?? new Uint8Array(this.partSize);
    let lent = true;
    return {
      bytes,
      renew: () => lease.renew(),
      release: () => {
        if (!lent) return;
        lent = false;
        lease.release();
        // Kept for ever, it would be missing for everything else.
        this.#idle.push(bytes);
        if (this.#parts.demand === 0) for (const idle of this.#idle.splice(0)) freeBytes(idle);
      },
    };
  }
}
