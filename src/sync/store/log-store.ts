import type { Database } from "../../platform/index.ts";

/** The levels from the least to the most important. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

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
  /** Only lines of this level and those above it. */
  readonly level?: LogLevel | undefined;
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
  async list(execution: number, { level, after = 0, offset = 0, limit }: LogPage): Promise<readonly StoredLogLine[]> {
    const { results } = await this.#database
      .prepare(
        `SELECT id, execution, logged_at AS at, level, message FROM sync_logs WHERE execution = ?1 AND id > ?2
           AND level IN (SELECT value FROM json_each(?5)) ORDER BY id LIMIT ?3 OFFSET ?4`,
      )
      .bind(execution, after, limit, offset, levelsFrom(level))
      .all<StoredLogLine>();
    return results;
  }

  /** How many lines there are, of a level and those above it or of all. */
  async total(execution: number, level?: LogLevel): Promise<number> {
    const total = await this.#database
      .prepare(
        `SELECT count(*) AS total FROM sync_logs WHERE execution = ?1
           AND level IN (SELECT value FROM json_each(?2))`,
      )
      .bind(execution, levelsFrom(level))
      .first<number>("total");
    return total ?? 0;
  }
}

/** The levels from one on, as a JSON list. */
function levelsFrom(level: LogLevel = "debug"): string {
  return JSON.stringify(LOG_LEVELS.slice(LOG_LEVELS.indexOf(level)));
}
