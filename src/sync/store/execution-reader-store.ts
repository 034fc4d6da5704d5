import type { Database } from "../../platform/index.ts";
import type { ExecutionState, StoredExecution } from "./execution.ts";

/** Which runs; what is absent does not matter. */
export interface ExecutionQuery {
  readonly namespace?: string;
  /** Any of these. */
  readonly namespaces?: readonly string[];
  readonly task?: string;
  readonly taskUid?: string;
  readonly id?: number;
  readonly states?: readonly ExecutionState[];
  /** Only runs with a lower id. */
  readonly before?: number;
}

/** How many runs there are by state. */
export type ExecutionTotals = Readonly<Partial<Record<ExecutionState, number>>>;

/** The columns of a `Row`. */
export const COLUMNS = `id, uid, namespace, task, task_uid AS taskUid, cause, actor, scheduled_at AS scheduledAt,
  dry_run AS dryRun, only_failed_of AS onlyFailedOf, tags, state, stop_requested AS stopRequested,
  created_at AS createdAt, started_at AS startedAt, ended_at AS endedAt, heartbeat_at AS heartbeatAt,
  items_total AS itemsTotal, items_copied AS itemsCopied, items_unchanged AS itemsUnchanged,
  items_skipped AS itemsSkipped, items_failed AS itemsFailed, tags_deleted AS tagsDeleted, blobs_total AS blobsTotal, blobs_copied AS blobsCopied,
  blobs_mounted AS blobsMounted, blobs_skipped AS blobsSkipped, blobs_failed AS blobsFailed,
  bytes_total AS bytesTotal, bytes_copied AS bytesCopied, error, created_rv AS createdRv, rv, deleted_at AS deletedAt`;

/** Of a run that has not ended. */
export const ACTIVE = "state IN ('pending', 'planning', 'running')";

/** A run as the database has it. */
export interface Row extends Omit<StoredExecution, "dryRun" | "stopRequested" | "tags"> {
  readonly dryRun: 0 | 1;
  readonly stopRequested: 0 | 1;
  readonly tags: string | null;
}

/** Reads runs of tasks from D1. */
export class ExecutionReader {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async get(id: number): Promise<StoredExecution | undefined> {
    const row = await this.#database
      .prepare(`SELECT ${COLUMNS} FROM sync_executions WHERE id = ?1 AND deleted_at IS NULL`)
      .bind(id)
      .first<Row>();
    return row === null ? undefined : executionOf(row);
  }

  /** The run of a task that has not ended. */
  async active(taskUid: string): Promise<StoredExecution | undefined> {
    const row = await this.#database
      .prepare(`SELECT ${COLUMNS} FROM sync_executions WHERE task_uid = ?1 AND ${ACTIVE}`)
      .bind(taskUid)
      .first<Row>();
    return row === null ? undefined : executionOf(row);
  }

  /** The newest first. */
  async list(query: ExecutionQuery, limit: number, offset = 0): Promise<readonly StoredExecution[]> {
    const { sql, values } = conditions(query, 2);
    const { results } = await this.#database
      .prepare(
        `SELECT ${COLUMNS} FROM sync_executions WHERE deleted_at IS NULL${sql} ORDER BY id DESC LIMIT ?1 OFFSET ?2`,
      )
      .bind(limit, offset, ...values)
      .all<Row>();
    return results.map(executionOf);
  }

  /** How many runs there are by state. */
  async totals(query: ExecutionQuery = {}): Promise<ExecutionTotals> {
    const { sql, values } = conditions(query, 0);
    const { results } = await this.#database
      .prepare(`SELECT state, count(*) AS total FROM sync_executions WHERE deleted_at IS NULL${sql} GROUP BY state`)
      .bind(...values)
      .all<{ state: ExecutionState; total: number }>();
    return Object.fromEntries(results.map(({ state, total }) => [state, total]));
  }

  /** Active runs that gave their latest sign of life before `time` (milliseconds), the most silent first. */
  async stale(time: number, limit: number): Promise<readonly StoredExecution[]> {
    const { results } = await this.#database
      .prepare(
        `SELECT ${COLUMNS} FROM sync_executions WHERE ${ACTIVE} AND heartbeat_at < ?1 ORDER BY heartbeat_at LIMIT ?2`,
      )
      .bind(time, limit)
      .all<Row>();
    return results.map(executionOf);
  }

  /** The version of the latest change, and the one up to which changes are no longer kept in full. */
  async version(): Promise<{ readonly rv: number; readonly pruned: number }> {
    const row = await this.#database
      .prepare("SELECT rv, pruned FROM sync_versions WHERE id = 1")
      .first<{ rv: number; pruned: number }>();
    return row ?? { rv: 1, pruned: 0 };
  }

  /**
   * Runs that changed after a version, deleted ones included, each once, in the order of their latest changes: `limit` of
   * them, and more if they changed at once with the last.
   */
  async changedSince(rv: number, query: ExecutionQuery, limit: number): Promise<readonly StoredExecution[]> {
    const { sql, values } = conditions(query, 2);
    const { results } = await this.#database
      .prepare(
        `SELECT ${COLUMNS} FROM sync_executions WHERE rv > ?1${sql} AND rv <= coalesce(
           (SELECT rv FROM sync_executions WHERE rv > ?1${sql} ORDER BY rv LIMIT 1 OFFSET ?2), ${Number.MAX_SAFE_INTEGER})
         ORDER BY rv`,
      )
      .bind(rv, limit - 1, ...values)
      .all<Row>();
    return results.map(executionOf);
  }
}

/** The run of a row. */
export function executionOf(row: Row): StoredExecution {
  return {
    ...row,
    dryRun: row.dryRun === 1,
    stopRequested: row.stopRequested === 1,
    tags: row.tags === null ? null : (JSON.parse(row.tags) as readonly string[]),
  };
}

/** Conditions for `AND`, with parameters after the first `taken`. */
function conditions(
  { namespace, namespaces, task, taskUid, id, states, before }: ExecutionQuery,
  taken: number,
): { readonly sql: string; readonly values: readonly (string | number)[] } {
  const values: (string | number)[] = [];
  let sql = "";
  const add = (condition: (parameter: string) => string, value: string | number | undefined): void => {
    if (value === undefined) return;
    values.push(value);
    sql += ` AND ${condition(`?${values.length + taken}`)}`;
  };
  const oneOf = (column: string, wanted: readonly string[] | undefined): void =>
    add(
      (value) => `${column} IN (SELECT value FROM json_each(${value}))`,
      wanted === undefined ? undefined : JSON.stringify(wanted),
    );
  add((value) => `namespace = ${value}`, namespace);
  oneOf("namespace", namespaces);
  add((value) => `task = ${value}`, task);
  add((value) => `task_uid = ${value}`, taskUid);
  add((value) => `id = ${value}`, id);
  add((value) => `id < ${value}`, before);
  oneOf("state", states);
  return { sql, values };
}
