import type { Database } from "../../platform/index.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** A line of a run's log. */
export interface LogLine {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly level: LogLevel;
  readonly message: string;
}

export interface StoredLogLine extends LogLine {
  readonly id: number;
  readonly execution: number;
}

/** Where a page of lines begins: after an id, or after so many of them. */
export interface LogPage {
  readonly after?: number;
  readonly offset?: number;
  readonly limit: number;
}

/** Longest message kept, in characters. */
const MAX_MESSAGE = 2000;

/** Logs of runs in D1. */
export class LogStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Writes lines in their order. Answers them with their ids. */
  async append(execution: number, lines: readonly LogLine[]): Promise<readonly StoredLogLine[]> {
    if (lines.length === 0) return [];
    const rows = lines.map(({ at, level, message }) => [at, level, message.slice(0, MAX_MESSAGE)]);
    const { results } = await this.#database
      .prepare(
        `INSERT INTO sync_logs (execution, logged_at, level, message)
         SELECT ?1, json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]')
         FROM json_each(?2) WHERE EXISTS (SELECT 1 FROM sync_executions WHERE id = ?1) ORDER BY key
         RETURNING id, execution, logged_at AS at, level, message`,
      )
      .bind(execution, JSON.stringify(rows))
      .all<StoredLogLine>();
    return results.toSorted((a, b) => a.id - b.id);
  }

  /** The oldest first. */
  async list(execution: number, { after = 0, offset = 0, limit }: LogPage): Promise<readonly StoredLogLine[]> {
    const { results } = await this.#database
      .prepare(
        `SELECT id, execution, logged_at AS at, level, message FROM sync_logs WHERE execution = ?1 AND id > ?2
         ORDER BY id LIMIT ?3 OFFSET ?4`,
      )
      .bind(execution, after, limit, offset)
      .all<StoredLogLine>();
    return results;
  }

  async total(execution: number): Promise<number> {
    const total = await this.#database
      .prepare("SELECT count(*) AS total FROM sync_logs WHERE execution = ?1")
      .bind(execution)
      .first<number>("total");
    return total ?? 0;
  }
}
