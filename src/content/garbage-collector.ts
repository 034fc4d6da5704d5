import type { Clock, Log } from "../platform/index.ts";
import type { BlobStore } from "./blob-store.ts";
import type { GarbageStore } from "./garbage-store.ts";
import { objectKeyTime } from "./object-key.ts";

/** Rows that one step handles at most; a step that found this many is followed by another. */
const STEP_ROWS = 500;

/** What collecting needs. */
export interface GarbagePorts {
  readonly garbage: GarbageStore;
  readonly store: BlobStore;
  readonly clock: Clock;
  readonly log: Log;
  /** How long unreferenced content is kept, in milliseconds. */
  readonly grace: number;
  /** How long an upload may take, in milliseconds: younger objects may belong to one. */
  readonly uploadLifetime: number;
}

/**
 * Online garbage collection, without a lock or a pause. Content loses its last reference, waits out the grace period,
 * is unlinked from its repository, is condemned, waits again, and is deleted: row first, and only if nothing took the
 * blob up meanwhile, object second. A crash in between leaves an object that no row names; `reconcile` finds those.
 */
export class GarbageCollector {
  readonly #ports: GarbagePorts;

  constructor(ports: GarbagePorts) {
    this.#ports = ports;
  }

  /** Unlinks orphans and deletes what is condemned. Answers whether there is more to do. */
  async sweep(): Promise<boolean> {
    const { garbage, store, clock, log, grace, uploadLifetime } = this.#ports;
    const unlinked = await garbage.unlinkOrphans(clock() - grace, STEP_ROWS);
    // While its session lives, a closed upload may be closed again, which links its object again.
    const keys = await garbage.forgetCondemned(clock() - Math.max(grace, uploadLifetime), STEP_ROWS);
    await store.delete(keys);
    if (unlinked > 0 || keys.length > 0) log.info("garbage.swept", { unlinked, deleted: keys.length });
    return unlinked === STEP_ROWS || keys.length === STEP_ROWS;
  }

  /** Deletes objects of one page that no row names. Resolves to the cursor of the next page. */
  async reconcile(cursor: string | undefined): Promise<string | undefined> {
    const { garbage, store, clock, log, grace, uploadLifetime } = this.#ports;
    const page = await store.list(cursor);
    // Twice the lifetime: an upload may be closed at the last moment and then take its time.
    const before = clock() - Math.max(grace, 2 * uploadLifetime);
    const old = page.keys.filter((key) => (objectKeyTime(key) ?? Infinity) < before);
    const lost = old.length === 0 ? [] : await garbage.unknownKeys(old);
    await store.delete(lost);
    if (lost.length > 0) log.warn("garbage.reconciled", { deleted: lost.length });
    return page.cursor;
  }
}
