import type { Clock, Database } from "../../platform/index.ts";

/** Where an upload of a large layer stands. */
export interface StoredCheckpoint {
  /** Address of the upload. */
  readonly location: string;
  /** Bytes that the target has confirmed. */
  readonly offset: number;
}

/** A digest at the source, and where it was written to. */
export interface WrittenKey {
  readonly taskUid: string;
  /** The target registry's name. */
  readonly target: string;
  readonly repository: string;
  /** As the source has it. */
  readonly digest: string;
}

/** What runs remember for those after them: positions of uploads, digests that were written, and when images were made. */
export class MemoryStore {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  async checkpoint(key: string): Promise<StoredCheckpoint | undefined> {
    const row = await this.#database
      .prepare("SELECT location, position AS offset FROM sync_checkpoints WHERE key = ?1")
      .bind(key)
      .first<StoredCheckpoint>();
    return row ?? undefined;
  }

  async saveCheckpoint(key: string, { location, offset }: StoredCheckpoint, execution: number): Promise<void> {
    await this.#database
      .prepare(
        `INSERT INTO sync_checkpoints (key, location, position, execution, updated_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET location = excluded.location, position = excluded.position,
           execution = excluded.execution, updated_at = excluded.updated_at`,
      )
      .bind(key, location, offset, execution, this.#clock())
      .run();
  }

  async removeCheckpoint(key: string): Promise<void> {
    await this.#database.prepare("DELETE FROM sync_checkpoints WHERE key = ?1").bind(key).run();
  }

  /** The digest that was written for one of the source. */
  async written({ taskUid, target, repository, digest }: WrittenKey): Promise<string | undefined> {
    const found = await this.#database
      .prepare(
        `SELECT written_digest AS digest FROM sync_written
         WHERE task_uid = ?1 AND target = ?2 AND repository = ?3 AND source_digest = ?4`,
      )
      .bind(taskUid, target, repository, digest)
      .first<string>("digest");
    return found ?? undefined;
  }

  async saveWritten({ taskUid, target, repository, digest }: WrittenKey, written: string): Promise<void> {
    await this.#database
      .prepare(
        `INSERT INTO sync_written (task_uid, target, repository, source_digest, written_digest, written_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET written_digest = excluded.written_digest, written_at = excluded.written_at`,
      )
      .bind(taskUid, target, repository, digest, written, this.#clock())
      .run();
  }

  /** When a task last looked at an image for what belongs to it, in milliseconds since the Unix epoch. */
  async checkedAt(taskUid: string, image: string): Promise<number | undefined> {
    const found = await this.#database
      .prepare("SELECT checked_at FROM sync_checks WHERE task_uid = ?1 AND image = ?2")
      .bind(taskUid, image)
      .first<number>("checked_at");
    return found ?? undefined;
  }

  /** Says that a task looked at an image now. */
  async saveChecked(taskUid: string, image: string): Promise<void> {
    await this.#database
      .prepare(
        `INSERT INTO sync_checks (task_uid, image, checked_at) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET checked_at = excluded.checked_at`,
      )
      .bind(taskUid, image, this.#clock())
      .run();
  }

  /** When images were made, in milliseconds since the Unix epoch, of those that are known. `registry` is its origin. */
  async created(
    registry: string,
    repository: string,
    digests: readonly string[],
  ): Promise<ReadonlyMap<string, number>> {
    const { results } = await this.#database
      .prepare(
        `SELECT digest, created FROM sync_created
         WHERE registry = ?1 AND repository = ?2 AND digest IN (SELECT value FROM json_each(?3))`,
      )
      .bind(registry, repository, JSON.stringify(digests))
      .all<{ digest: string; created: number }>();
    return new Map(results.map(({ digest, created }) => [digest, created]));
  }

  async saveCreated(registry: string, repository: string, created: ReadonlyMap<string, number>): Promise<void> {
    if (created.size === 0) return;
    await this.#database
      .prepare(
        `INSERT INTO sync_created (registry, repository, digest, created, seen_at)
         SELECT ?1, ?2, json_extract(value, '$[0]'), json_extract(value, '$[1]'), ?4 FROM json_each(?3) WHERE true
         ON CONFLICT DO UPDATE SET created = excluded.created, seen_at = excluded.seen_at`,
      )
      .bind(registry, repository, JSON.stringify([...created]), this.#clock())
      .run();
  }

  /** Deletes positions, digests and times from before `time` (milliseconds), at most `limit` of each. Answers how many. */
  async prune(time: number, limit: number): Promise<number> {
    const on = (sql: string) => this.#database.prepare(sql).bind(time, limit);
    const results = await this.#database.batch([
      on(
        "DELETE FROM sync_checkpoints WHERE key IN (SELECT key FROM sync_checkpoints WHERE updated_at < ?1 ORDER BY updated_at LIMIT ?2)",
      ),
      on(
        `DELETE FROM sync_written WHERE (task_uid, target, repository, source_digest) IN
           (SELECT task_uid, target, repository, source_digest FROM sync_written WHERE written_at < ?1 ORDER BY written_at LIMIT ?2)`,
      ),
      on(
        `DELETE FROM sync_checks WHERE (task_uid, image) IN
           (SELECT task_uid, image FROM sync_checks WHERE checked_at < ?1 ORDER BY checked_at LIMIT ?2)`,
      ),
      on(
        `DELETE FROM sync_created WHERE (registry, repository, digest) IN
           (SELECT registry, repository, digest FROM sync_created WHERE seen_at < ?1 ORDER BY seen_at LIMIT ?2)`,
      ),
    ]);
    return results.reduce((total, { meta }) => total + meta.changes, 0);
  }
}
