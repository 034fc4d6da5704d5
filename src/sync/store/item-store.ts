import type { Clock, Database } from "../../platform/index.ts";
import { ACTIVE } from "./execution-reader-store.ts";
import type { ItemEndState, ItemState, ItemTarget, NewItem, StoredItem } from "./item.ts";

/** How an item ended. */
export interface ItemEnd {
  readonly state: ItemEndState;
  readonly errorClass?: string;
  readonly error?: string;
  /** Bytes that were copied. */
  readonly bytes?: number;
}

const COLUMNS = `id, execution, repository, tag, digest, targets, state, attempts, error_class AS errorClass, error, bytes,
  started_at AS startedAt, ended_at AS endedAt, not_before AS notBefore, lease_until AS leaseUntil`;

/** Items that one statement inserts. */
const BATCH = 200;
/** Selects that one statement may put together. @see workerd, src/workerd/util/sqlite.c++, SQLITE_LIMIT_COMPOUND_SELECT */
const MOST_SELECTS = 5;
/** Longest error kept, in characters. */
const MAX_ERROR = 1000;

/** The version of a change in the same batch, and that change. */
const BUMP = "UPDATE sync_versions SET rv = rv + 1 WHERE id = 1";
const THIS_VERSION = "(SELECT rv FROM sync_versions WHERE id = 1)";
const RUNS = `EXISTS (SELECT 1 FROM sync_executions AS run WHERE run.id = sync_items.execution
  AND run.${ACTIVE} AND run.stop_requested = 0)`;

/** The counter of a run that an item counts for when it ends; canceled items count for none. */
const COUNTERS: Readonly<Record<ItemEndState, string | undefined>> = {
  copied: "items_copied",
  unchanged: "items_unchanged",
  skipped: "items_skipped",
  failed: "items_failed",
  conflict: "items_failed",
  canceled: undefined,
};

const ALL: readonly ItemState[] = [
  "pending",
  "copying",
  "copied",
  "unchanged",
  "skipped",
  "failed",
  "conflict",
  "canceled",
];

type Row = Omit<StoredItem, "targets"> & { readonly targets: string };

/** Items of runs in D1. What ends an item counts for its run in the same change. */
export class ItemStore {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /**
   * Adds what a plan found, and counts it for the run. Items that are there stay as they are, and a run that has ended is
   * given no more. Answers how many are new.
   */
  async insert(execution: number, items: readonly NewItem[]): Promise<number> {
    let added = 0;
    for (let index = 0; index < items.length; index += BATCH) {
      added += await this.#insertSome(execution, items.slice(index, index + BATCH));
    }
    return added;
  }

  async #insertSome(execution: number, items: readonly NewItem[]): Promise<number> {
    const rows = items.map(({ repository, tag, digest, targets, state, error, errorClass }) => [
      repository,
      tag,
      digest,
      JSON.stringify(targets),
      state,
      error?.slice(0, MAX_ERROR) ?? null,
      errorClass ?? null,
    ]);
    const at = (index: number) => `json_extract(value, '$[${index}]')`;
    const values = JSON.stringify(rows);
    // Counted before the insert, in the same change: only what is not there yet.
    const isNew = `NOT EXISTS (SELECT 1 FROM sync_items WHERE execution = ?1 AND repository = ${at(0)} AND tag = ${at(1)})`;
    const counted = (states: string) =>
      `(SELECT count(DISTINCT ${at(0)} || ' ' || ${at(1)}) FROM json_each(?2) WHERE ${isNew}${states})`;
    const [, , inserted] = await this.#database.batch([
      this.#database.prepare(BUMP),
      this.#database
        .prepare(
          `UPDATE sync_executions SET items_total = items_total + ${counted("")},
             items_unchanged = items_unchanged + ${counted(` AND ${at(4)} = 'unchanged'`)},
             items_skipped = items_skipped + ${counted(` AND ${at(4)} = 'skipped'`)},
             items_failed = items_failed + ${counted(` AND ${at(4)} IN ('conflict', 'failed')`)}, resumes = 0,
             rv = ${THIS_VERSION} WHERE id = ?1 AND ${ACTIVE}`,
        )
        .bind(execution, values),
      this.#database
        .prepare(
          `INSERT INTO sync_items (execution, repository, tag, digest, targets, state, error, error_class, ended_at)
           SELECT ?1, ${[0, 1, 2, 3, 4, 5, 6].map(at).join(", ")}, iif(${at(4)} = 'pending', NULL, ?3)
           FROM json_each(?2) WHERE EXISTS (SELECT 1 FROM sync_executions WHERE id = ?1 AND ${ACTIVE})
           ORDER BY key ON CONFLICT DO NOTHING`,
        )
        .bind(execution, values, this.#clock()),
    ]);
    return inserted?.meta.changes ?? 0;
  }

  /**
   * Takes items to work on for `duration` milliseconds: those whose worker has gone silent, then those that were put off
   * and are due, then those that wait, the oldest first. Nothing of a run that has ended or is to stop. It reads no more
   * rows than it takes, however many are done: each part is the beginning of an index.
   */
  async leaseNext(execution: number, duration: number, limit = 1): Promise<readonly StoredItem[]> {
    const { results } = await this.#database
      .prepare(
        `UPDATE sync_items SET state = 'copying', attempts = attempts + 1, started_at = coalesce(started_at, ?2),
           lease_until = ?2 + ?3
         WHERE id IN (
             SELECT id FROM (SELECT id FROM sync_items INDEXED BY sync_items_leased
               WHERE execution = ?1 AND state = 'copying' AND lease_until <= ?2 ORDER BY lease_until LIMIT ?4)
             UNION ALL SELECT id FROM (SELECT id FROM sync_items INDEXED BY sync_items_waiting
               WHERE execution = ?1 AND state = 'pending' AND not_before > 0 AND not_before <= ?2
               ORDER BY not_before LIMIT ?4)
             UNION ALL SELECT id FROM (SELECT id FROM sync_items INDEXED BY sync_items_waiting
               WHERE execution = ?1 AND state = 'pending' AND not_before = 0 ORDER BY id LIMIT ?4)
             LIMIT ?4)
           AND ${RUNS} RETURNING ${COLUMNS}`,
      )
      .bind(execution, this.#clock(), duration, limit)
      .all<Row>();
    return results.map(itemOf).sort((a, b) => a.id - b.id);
  }

  /** Takes one item to work on for `duration` milliseconds; `undefined` if it is done, not due, or somebody has it. */
  async lease(id: number, duration: number): Promise<StoredItem | undefined> {
    const row = await this.#database
      .prepare(
        `UPDATE sync_items SET state = 'copying', attempts = attempts + 1, started_at = coalesce(started_at, ?2),
           lease_until = ?2 + ?3
         WHERE id = ?1 AND ((state = 'pending' AND not_before <= ?2) OR (state = 'copying' AND lease_until <= ?2))
           AND ${RUNS} RETURNING ${COLUMNS}`,
      )
      .bind(id, this.#clock(), duration)
      .first<Row>();
    return row === null ? undefined : itemOf(row);
  }

  /** Works on for another `duration` milliseconds. Whether it may: `false` once the item is done or its run is to stop. */
  async renew(id: number, duration: number): Promise<boolean> {
    const { meta } = await this.#database
      .prepare(`UPDATE sync_items SET lease_until = ?2 WHERE id = ?1 AND state = 'copying' AND ${RUNS}`)
      .bind(id, this.#clock() + duration)
      .run();
    return meta.changes > 0;
  }

  /**
   * Gives an item back, to be begun again after `delay` milliseconds. A delay that was no failure (a budget, a time
   * limit) does not count as an attempt.
   */
  async release(
    id: number,
    delay: number,
    { isFailure, error }: { readonly isFailure: boolean; readonly error?: string },
  ): Promise<void> {
    await this.#database
      .prepare(
        `UPDATE sync_items SET state = 'pending', lease_until = 0, not_before = ?2,
           attempts = max(0, attempts - ?3), error = coalesce(?4, error) WHERE id = ?1 AND state = 'copying'`,
      )
      .bind(id, this.#clock() + delay, isFailure ? 0 : 1, error?.slice(0, MAX_ERROR) ?? null)
      .run();
  }

  /** Ends an item, and counts it for its run. Whether it did: an item ends once. */
  async finish(id: number, { state, errorClass, error, bytes = 0 }: ItemEnd): Promise<boolean> {
    const counter = COUNTERS[state];
    const count =
      counter === undefined
        ? []
        : [
            this.#database.prepare(BUMP),
            this.#database
              .prepare(
                `UPDATE sync_executions SET ${counter} = ${counter} + 1, resumes = 0, rv = ${THIS_VERSION} WHERE id =
                   (SELECT execution FROM sync_items WHERE sync_items.id = ?1 AND sync_items.state IN ('pending', 'copying'))`,
              )
              .bind(id),
          ];
    const results = await this.#database.batch([
      ...count,
      this.#database
        .prepare(
          `UPDATE sync_items SET state = ?2, error_class = ?3, error = ?4, bytes = ?5, ended_at = ?6, lease_until = 0
           WHERE id = ?1 AND state IN ('pending', 'copying')`,
        )
        .bind(id, state, errorClass ?? null, error?.slice(0, MAX_ERROR) ?? null, bytes, this.#clock()),
    ]);
    return (results.at(-1)?.meta.changes ?? 0) > 0;
  }

  async get(id: number): Promise<StoredItem | undefined> {
    const row = await this.#database.prepare(`SELECT ${COLUMNS} FROM sync_items WHERE id = ?1`).bind(id).first<Row>();
    return row === null ? undefined : itemOf(row);
  }

  /** How many items of a run somebody works on now. */
  async live(execution: number): Promise<number> {
    const live = await this.#database
      .prepare(
        `SELECT count(*) AS live FROM sync_items INDEXED BY sync_items_leased
         WHERE execution = ?1 AND state = 'copying' AND lease_until > ?2`,
      )
      .bind(execution, this.#clock())
      .first<number>("live");
    return live ?? 0;
  }

  /** Items of a run after an id, in their order, of some states or of all. */
  async list(
    execution: number,
    {
      states = ALL,
      after = 0,
      limit,
    }: { readonly states?: readonly ItemState[]; readonly after?: number; readonly limit: number },
  ): Promise<readonly StoredItem[]> {
    // The beginning of the index for each state, some states in one statement.
    const some = (wanted: readonly ItemState[]): D1PreparedStatement => {
      const selects = wanted.map(
        (_state, index) =>
          `SELECT * FROM (SELECT ${COLUMNS} FROM sync_items INDEXED BY sync_items_state
             WHERE execution = ?1 AND state = ?${index + 4} AND id > ?2 ORDER BY id LIMIT ?3)`,
      );
      return this.#database.prepare(selects.join(" UNION ALL ")).bind(execution, after, limit, ...wanted);
    };
    const groups: D1PreparedStatement[] = [];
    for (let index = 0; index < states.length; index += MOST_SELECTS) {
      groups.push(some(states.slice(index, index + MOST_SELECTS)));
    }
    const found = (await this.#database.batch<Row>(groups)).flatMap(({ results }) => results);
    return found
      .sort((a, b) => a.id - b.id)
      .slice(0, limit)
      .map(itemOf);
  }

  /** What of a run failed or was in conflict, for a run that repeats just that. */
  async failed(execution: number, limit: number, after = 0): Promise<readonly StoredItem[]> {
    return this.list(execution, { states: ["failed", "conflict"], after, limit });
  }

  /**
   * Whether something of a run failed that only a run of the whole task can make good: a list, a deletion, or an image
   * whose name at a target another one has.
   */
  async needsWholeRun(execution: number): Promise<boolean> {
    const found = await this.#database
      .prepare(
        `SELECT 1 AS found FROM sync_items WHERE execution = ?1 AND state = 'failed'
           AND (tag = '' OR error_class = 'collision') LIMIT 1`,
      )
      .bind(execution)
      .first<number>("found");
    return found === 1;
  }

  /** How many items of a run there are by state. */
  async counts(execution: number): Promise<Readonly<Partial<Record<ItemState, number>>>> {
    const { results } = await this.#database
      .prepare("SELECT state, count(*) AS total FROM sync_items WHERE execution = ?1 GROUP BY state")
      .bind(execution)
      .all<{ state: ItemState; total: number }>();
    return Object.fromEntries(results.map(({ state, total }) => [state, total]));
  }

  /** When the next item of a run may be begun, in milliseconds since the Unix epoch; `undefined` if none is left. */
  async nextDue(execution: number): Promise<number | undefined> {
    const due = await this.#database
      .prepare(
        `SELECT min(due) AS due FROM (
           SELECT min(not_before) AS due FROM sync_items INDEXED BY sync_items_waiting
             WHERE execution = ?1 AND state = 'pending'
           UNION ALL SELECT min(lease_until) FROM sync_items INDEXED BY sync_items_leased
             WHERE execution = ?1 AND state = 'copying')`,
      )
      .bind(execution)
      .first<number>("due");
    return due ?? undefined;
  }
}

function itemOf(row: Row): StoredItem {
  return { ...row, targets: JSON.parse(row.targets) as readonly ItemTarget[] };
}
