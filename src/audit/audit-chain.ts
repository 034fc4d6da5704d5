import { createHash } from "node:crypto";
import { type AuditRecord, columnsOf } from "./audit-record.ts";
import type { AuditStore, ChainLink } from "./audit-store.ts";

/** What stands before the first row. */
export const GENESIS: ChainLink = { id: 0, hash: "0".repeat(64) };

/** Rows that are sealed, or checked, at a time. */
const STEP = 1000;
/** Steps of one check; where it ends, a cursor goes on. */
const VERIFY_STEPS = 20;

/** Where the chain does not hold. */
export interface ChainBreak {
  /** The first row that is wrong, or the row that should be there. */
  readonly id: number;
  readonly reason:
    /** The row is not what was sealed, or not what followed the row before it. */
    | "changed"
    /** Rows before this one are gone: ids have no gaps. */
    | "missing"
    /** The newest sealed row is not the one that was sealed last. */
    | "head";
}

/** What a check found. */
export interface Verification {
  /** Rows that hold, of those looked at. */
  readonly checked: number;
  readonly break?: ChainBreak;
  /** The last row that holds. */
  readonly last: ChainLink;
  /** Rows that wait to be sealed, as far as was looked. Told once the end is reached. */
  readonly unsealed?: number;
  /** Where to go on; absent at the end. */
  readonly next?: ChainLink;
}

/** The ends of the chain. */
export interface ChainEnds {
  readonly head: ChainLink;
  readonly anchor: ChainLink;
}

/**
 * The hash of a row: SHA-256, in hexadecimal, over a JSON array of the hash before it, the id, and the columns in the
 * order of the table.
 */
export function chainHash(previous: string, row: AuditRecord): string {
  return createHash("sha256")
    .update(JSON.stringify([previous, row.id, ...columnsOf(row)]))
    .digest("hex");
}

/**
 * Seals the audit: each row's hash covers the hash before it, so that a row cannot be changed or taken out without all
 * that follow it being written anew. Against who could do that, the head is in the log, where it cannot be changed from
 * the database.
 */
export class AuditChain {
  readonly #store: Pick<AuditStore, "unsealed" | "seal" | "prune" | "pageAfter">;

  constructor(store: Pick<AuditStore, "unsealed" | "seal" | "prune" | "pageAfter">) {
    this.#store = store;
  }

  /** Seals up to 1,000 rows. Two at once do the same. Answers whether there are more. */
  async seal(): Promise<boolean> {
    const { rows, head } = await this.#store.unsealed(STEP);
    let previous = head ?? GENESIS;
    const links: ChainLink[] = [];
    for (const row of rows) {
      previous = { id: row.id, hash: chainHash(previous.hash, row) };
      links.push(previous);
    }
    await this.#store.seal(links);
    return rows.length === STEP;
  }

  /** Forgets sealed rows from before `time` (milliseconds), at most `limit`. Answers how many. */
  prune(time: number, limit: number): Promise<number> {
    return this.#store.prune(time, limit);
  }

  /** The newest sealed row, and the newest one that was forgotten. */
  async ends(): Promise<ChainEnds> {
    const { head, anchor } = await this.#store.pageAfter(0, 0);
    return { head: head ?? GENESIS, anchor: anchor ?? GENESIS };
  }

  /** Checks up to 20,000 rows. @param from `next` of the check before this one */
  async verify(from: ChainLink = GENESIS): Promise<Verification> {
    let last = from;
    let checked = 0;
    for (let step = 0; step < VERIFY_STEPS; step += 1) {
      const { rows, head, anchor } = await this.#store.pageAfter(last.id, STEP);
      // What was pruned while this went on was checked, or is gone by right.
      if (anchor !== undefined && last.id < anchor.id) last = anchor;
      let unsealed = 0;
      for (const row of rows) {
        const broken = breakAt(row, last, unsealed);
        if (broken !== undefined) return { checked, break: broken, last };
        if (row.hash === null) unsealed += 1;
        else {
          last = { id: row.id, hash: row.hash };
          checked += 1;
        }
      }
      // Rows that are not sealed are the end. They are checked when they are.
      if (rows.length < STEP || unsealed > 0) {
        return { checked, last, unsealed, ...headBreak(last, head ?? GENESIS, unsealed) };
      }
    }
    return { checked, last, next: last };
  }
}

/** @param unsealed rows between the last sealed one and this one */
function breakAt(row: AuditRecord, last: ChainLink, unsealed: number): ChainBreak | undefined {
  const expected = last.id + unsealed + 1;
  if (row.id !== expected) return { id: expected, reason: "missing" };
  if (row.hash === null) return undefined;
  if (unsealed > 0) return { id: last.id + 1, reason: "changed" };
  return row.hash === chainHash(last.hash, row) ? undefined : { id: row.id, reason: "changed" };
}

function headBreak(last: ChainLink, head: ChainLink, unsealed: number): { readonly break?: ChainBreak } {
  if (head.id === last.id && head.hash === last.hash) return {};
  // The head tells of rows that are not sealed any more, or not there any more; or the head was changed itself.
  const id = head.id > last.id ? last.id + 1 : head.id;
  return { break: { id, reason: head.id > last.id + unsealed ? "missing" : "head" } };
}
