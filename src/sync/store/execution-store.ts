import { type Clock, type Database, uuidv7 } from "../../platform/index.ts";
import type { EndState, ExecutionCause, ExecutionCounts, StoredExecution } from "./execution.ts";
import { ACTIVE, COLUMNS, ExecutionReader, executionOf, type Row } from "./execution-reader-store.ts";

/** A run to be begun. */
export interface NewExecution {
  readonly namespace: string;
  readonly task: string;
  readonly taskUid: string;
  readonly cause: ExecutionCause;
  readonly actor: string;
  /** The due time, in milliseconds since the Unix epoch. It can be claimed once. */
  readonly scheduledAt?: number;
  readonly dryRun?: boolean;
  readonly onlyFailedOf?: number;
  readonly tags?: readonly string[];
}

/** A run that was begun, or why none was: one is active, or this due time was claimed before. */
export type Begun =
  | { readonly outcome: "begun"; readonly execution: StoredExecution }
  | { readonly outcome: "running"; readonly execution: StoredExecution }
  | { readonly outcome: "claimed" };

/** The version that the change before it in the same batch has made. */
const THIS_VERSION = "(SELECT rv FROM sync_versions WHERE id = 1)";
/** Longest error kept, in characters. */
const MAX_ERROR = 2000;

const COUNTERS = {
  itemsTotal: "items_total",
  itemsCopied: "items_copied",
  itemsUnchanged: "items_unchanged",
  itemsSkipped: "items_skipped",
  itemsFailed: "items_failed",
  tagsDeleted: "tags_deleted",
  blobsTotal: "blobs_total",
  blobsCopied: "blobs_copied",
  blobsMounted: "blobs_mounted",
  blobsSkipped: "blobs_skipped",
  blobsFailed: "blobs_failed",
  bytesTotal: "bytes_total",
  bytesCopied: "bytes_copied",
} as const satisfies Record<keyof ExecutionCounts, string>;

/** Runs of tasks in D1. */
export class ExecutionStore extends ExecutionReader {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    super(database);
    this.#database = database;
    this.#clock = clock;
  }

  /** Begins a run, unless one of the task is active or its due time was claimed before, by whomever. */
  async begin(run: NewExecution): Promise<Begun> {
    for (;;) {
      const execution = await this.#insert(run);
      if (execution !== undefined) return { outcome: "begun", execution };
      const { taskUid, scheduledAt } = run;
      if (scheduledAt !== undefined && (await this.#isClaimed(taskUid, scheduledAt))) return { outcome: "claimed" };
      const active = await this.active(taskUid);
      // Without one, it has ended this moment, and the way is free.
      if (active !== undefined) return { outcome: "running", execution: active };
    }
  }

  async #insert(run: NewExecution): Promise<StoredExecution | undefined> {
    const now = this.#clock();
    const { namespace, task, taskUid, cause, actor, scheduledAt, dryRun = false, onlyFailedOf, tags } = run;
    const [, inserted] = await this.#database.batch<Row>([
      this.#bump(),
      this.#database
        .prepare(
          `INSERT INTO sync_executions (uid, namespace, task, task_uid, cause, actor, scheduled_at, dry_run,
             only_failed_of, tags, state, created_at, heartbeat_at, created_rv, rv)
           SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'pending', ?11, ?11, ${THIS_VERSION}, ${THIS_VERSION}
           WHERE ?7 IS NULL
             OR NOT EXISTS (SELECT 1 FROM sync_schedules WHERE task_uid = ?4 AND claimed_at BETWEEN ?7 AND ?11)
           ON CONFLICT DO NOTHING RETURNING ${COLUMNS}`,
        )
        .bind(
          uuidv7(now),
          namespace,
          task,
          taskUid,
          cause,
          actor,
          scheduledAt ?? null,
          dryRun ? 1 : 0,
          onlyFailedOf ?? null,
          tags === undefined ? null : JSON.stringify(tags),
          now,
        ),
      // Only what was claimed: a due time that found the task running is claimed when that run has ended.
      this.#database
        .prepare(
          `INSERT INTO sync_schedules (task_uid, claimed_at)
           SELECT task_uid, scheduled_at FROM sync_executions WHERE task_uid = ?1 AND scheduled_at = ?2
           ON CONFLICT DO UPDATE SET claimed_at = iif(claimed_at > ?3, excluded.claimed_at, max(claimed_at, excluded.claimed_at))`,
        )
        .bind(taskUid, scheduledAt ?? null, now),
    ]);
    const row = inserted?.results[0];
    return row === undefined ? undefined : executionOf(row);
  }

  /** Whether a due time, or a later one that has come, was claimed. Times to come were claimed by a clock that was wrong. */
  async #isClaimed(taskUid: string, scheduledAt: number): Promise<boolean> {
    const claimed = await this.#database
      .prepare(
        `SELECT EXISTS (SELECT 1 FROM sync_executions WHERE task_uid = ?1 AND scheduled_at = ?2)
           OR EXISTS (SELECT 1 FROM sync_schedules WHERE task_uid = ?1 AND claimed_at BETWEEN ?2 AND ?3) AS claimed`,
      )
      .bind(taskUid, scheduledAt, this.#clock())
      .first<0 | 1>("claimed");
    return claimed === 1;
  }

  /** Says where an active run stands; the first that is not `pending` is its start. Whether it is still active. */
  async setState(id: number, state: "planning" | "running"): Promise<boolean> {
    const changed = await this.#change(
      `UPDATE sync_executions SET state = ?2, started_at = coalesce(started_at, ?3), heartbeat_at = ?3, rv = ${THIS_VERSION}
       WHERE id = ?1 AND ${ACTIVE}`,
      [id, state, this.#clock()],
    );
    return changed !== undefined;
  }

  /** Says that a run lives. Answers whether it is to go on: `false` if it has ended, or somebody asked it to stop. */
  async heartbeat(id: number): Promise<boolean> {
    const row = await this.#database
      .prepare(
        `UPDATE sync_executions SET heartbeat_at = max(heartbeat_at, ?2) WHERE id = ?1 AND ${ACTIVE}
         RETURNING stop_requested AS stop`,
      )
      .bind(id, this.#clock())
      .first<{ stop: 0 | 1 }>();
    return row?.stop === 0;
  }

  /** Says that nothing is heard of a run until a time (milliseconds), since it waits for something. */
  async deferUntil(id: number, until: number): Promise<void> {
    await this.#database
      .prepare(`UPDATE sync_executions SET heartbeat_at = max(heartbeat_at, ?2) WHERE id = ?1 AND ${ACTIVE}`)
      .bind(id, until)
      .run();
  }

  /**
   * Says that a run that had gone silent is begun again, and is given `patience` milliseconds more each time: its message
   * may be waiting behind others. Answers how often that was since something of it was done, `undefined` if it has ended.
   */
  async markResumed(id: number, patience: number): Promise<number | undefined> {
    const row = await this.#database
      .prepare(
        // What its lost workers had announced and did not end is announced again by those who go on with it.
        `UPDATE sync_executions SET resumes = resumes + 1, heartbeat_at = max(heartbeat_at, ?2 + ?3 * resumes),
           bytes_total = bytes_copied, blobs_total = blobs_copied + blobs_mounted + blobs_skipped + blobs_failed
         WHERE id = ?1 AND ${ACTIVE} RETURNING resumes`,
      )
      .bind(id, this.#clock(), patience)
      .first<{ resumes: number }>();
    return row?.resumes;
  }

  /** Asks an active run to stop. Answers the run, or `undefined` if it is not active. */
  async requestStop(id: number): Promise<StoredExecution | undefined> {
    return this.#change(
      `UPDATE sync_executions SET stop_requested = 1, rv = ${THIS_VERSION} WHERE id = ?1 AND ${ACTIVE}`,
      [id],
    );
  }

  /** Whether somebody asked it to stop, or it is not active any more. */
  async isStopping(id: number): Promise<boolean> {
    const row = await this.#database
      .prepare(`SELECT stop_requested AS stop FROM sync_executions WHERE id = ?1 AND ${ACTIVE}`)
      .bind(id)
      .first<{ stop: 0 | 1 }>();
    return row?.stop !== 0;
  }

  /** Ends a run, and cancels what it has left. `undefined` if it had ended: the first end counts. */
  async finish(id: number, state: EndState, error?: string): Promise<StoredExecution | undefined> {
    const now = this.#clock();
    const cancel = this.#database
      .prepare(
        `UPDATE sync_items SET state = 'canceled', ended_at = ?2 WHERE execution = ?1 AND state IN ('pending', 'copying')
           AND EXISTS (SELECT 1 FROM sync_executions WHERE sync_executions.id = ?1 AND sync_executions.${ACTIVE})`,
      )
      .bind(id, now);
    const end = `UPDATE sync_executions SET state = ?2, ended_at = ?3, started_at = coalesce(started_at, ?3), error = ?4,
         rv = ${THIS_VERSION} WHERE id = ?1 AND ${ACTIVE}`;
    // The clock sees that the task shows it, should whoever ends it be lost before.
    const look = this.#database
      .prepare(
        `UPDATE sync_due SET look_at = ?2 WHERE task_uid = (SELECT task_uid FROM sync_executions WHERE id = ?1 AND ${ACTIVE})`,
      )
      .bind(id, now);
    return this.#change(end, [id, state, now, error?.slice(0, MAX_ERROR) ?? null], [cancel, look]);
  }

  /** Adds to the counters of a run, in one statement. */
  async count(id: number, deltas: Partial<ExecutionCounts>): Promise<void> {
    const given = (Object.keys(COUNTERS) as (keyof ExecutionCounts)[]).filter((key) => (deltas[key] ?? 0) !== 0);
    if (given.length === 0) return;
    const sets = given.map((key, index) => `${COUNTERS[key]} = ${COUNTERS[key]} + ?${index + 3}`);
    await this.#change(
      `UPDATE sync_executions SET ${sets.join(", ")}, heartbeat_at = max(heartbeat_at, ?2), rv = ${THIS_VERSION} WHERE id = ?1`,
      [id, this.#clock(), ...given.map((key) => deltas[key] ?? 0)],
    );
  }

  /** Lets go of all that is being worked on: whoever did is gone, as on a machine that starts. */
  async expireLeases(): Promise<void> {
    await this.#database.batch([
      this.#database.prepare(`UPDATE sync_executions SET heartbeat_at = 0 WHERE ${ACTIVE}`),
      this.#database.prepare("UPDATE sync_items SET lease_until = 0 WHERE state = 'copying'"),
    ]);
  }

  /** Deletes a run that has ended, with its items and logs. Whether it was there and had ended. */
  async remove(id: number): Promise<boolean> {
    const removed = await this.#change(
      `UPDATE sync_executions SET deleted_at = ?2, rv = ${THIS_VERSION}
       WHERE id = ?1 AND deleted_at IS NULL AND NOT ${ACTIVE}`,
      [id, this.#clock()],
    );
    if (removed === undefined) return false;
    await this.#database.batch([
      this.#database.prepare("DELETE FROM sync_items WHERE execution = ?1").bind(id),
      this.#database.prepare("DELETE FROM sync_logs WHERE execution = ?1").bind(id),
    ]);
    return true;
  }

  /** Forgets a task that is gone: its active run is asked to stop, and the others go with what was remembered of it. */
  async removeTask(taskUid: string): Promise<void> {
    const now = this.#clock();
    await this.#database.batch([
      this.#bump(),
      this.#database
        .prepare(
          `UPDATE sync_executions SET stop_requested = 1, rv = ${THIS_VERSION} WHERE task_uid = ?1 AND ${ACTIVE}`,
        )
        .bind(taskUid),
      this.#database
        .prepare(
          `UPDATE sync_executions SET deleted_at = ?2, rv = ${THIS_VERSION}
           WHERE task_uid = ?1 AND deleted_at IS NULL AND NOT ${ACTIVE}`,
        )
        .bind(taskUid, now),
      this.#database.prepare("DELETE FROM sync_schedules WHERE task_uid = ?1").bind(taskUid),
      this.#database.prepare("DELETE FROM sync_written WHERE task_uid = ?1").bind(taskUid),
      this.#database.prepare("DELETE FROM sync_checks WHERE task_uid = ?1").bind(taskUid),
    ]);
  }

  /**
   * Deletes runs that ended before `ended` (milliseconds), but for the latest of each task, and drops what is left of
   * those that were deleted before `deleted`. At most `limit` rows of each table: a run may have more items and lines
   * than one statement can delete. Answers whether there may be more.
   */
  async prune(ended: number, deleted: number, limit: number): Promise<boolean> {
    const gone = "SELECT id FROM sync_executions WHERE deleted_at < ?1";
    const empty = `${gone} AND NOT EXISTS (SELECT 1 FROM sync_items WHERE execution = sync_executions.id)
      AND NOT EXISTS (SELECT 1 FROM sync_logs WHERE execution = sync_executions.id) ORDER BY deleted_at LIMIT ?2`;
    const on = (sql: string) => this.#database.prepare(sql).bind(deleted, limit);
    const results = await this.#database.batch([
      this.#bump(),
      this.#database
        .prepare(
          `UPDATE sync_executions SET deleted_at = ?1, rv = ${THIS_VERSION} WHERE id IN (
             SELECT id FROM sync_executions AS old WHERE ended_at < ?2 AND deleted_at IS NULL
               AND EXISTS (SELECT 1 FROM sync_executions WHERE task_uid = old.task_uid AND id > old.id)
             ORDER BY ended_at LIMIT ?3)`,
        )
        .bind(this.#clock(), ended, limit),
      on(`DELETE FROM sync_items WHERE id IN (SELECT id FROM sync_items WHERE execution IN (${gone}) LIMIT ?2)`),
      on(`DELETE FROM sync_logs WHERE id IN (SELECT id FROM sync_logs WHERE execution IN (${gone}) LIMIT ?2)`),
      on(
        `UPDATE sync_versions SET pruned = max(pruned, (SELECT coalesce(max(rv), 0) FROM sync_executions WHERE id IN (${empty})))`,
      ),
      on(`DELETE FROM sync_executions WHERE id IN (${empty})`),
    ]);
    return [1, 2, 3, 5].some((statement) => (results[statement]?.meta.changes ?? 0) >= limit);
  }

  #bump(): D1PreparedStatement {
    return this.#database.prepare("UPDATE sync_versions SET rv = rv + 1 WHERE id = 1");
  }

  /** Makes one change under a new version. Answers the run, or `undefined` if the conditions did not hold. */
  async #change(
    sql: string,
    values: readonly (string | number | null)[],
    before: readonly D1PreparedStatement[] = [],
  ): Promise<StoredExecution | undefined> {
    const results = await this.#database.batch<Row>([
      this.#bump(),
      ...before,
      this.#database.prepare(`${sql} RETURNING ${COLUMNS}`).bind(...values),
    ]);
    const row = results.at(-1)?.results[0];
    return row === undefined ? undefined : executionOf(row);
  }
}
