import type { Clock, Database } from "../../platform/index.ts";

/** Where an upload of a large layer stands. */
export interface StoredCheckpoint {
  /** Address of the upload. */
  readonly location: string;
  /** Bytes that the target has confirmed. */
  readonly offset: number;
}

/** A blob on its way to a repository of the registry at `origin`. */
export interface CheckpointKey {
  readonly origin: string;
  readonly repository: string;
  readonly digest: string;
}

/** An image of the source, as a task looks at it. */
export interface CheckedImage {
  /** The task's name. */
  readonly task: string;
  readonly repository: string;
  readonly digest: string;
}

/** A digest at the source, and where it was written to. */
export interface WrittenKey {
  /** The target registry's name. */
  readonly target: string;
  readonly repository: string;
  /** As the source has it. */
  readonly digest: string;
}

/** What a digest of the source became on its way. */
export interface WrittenDigest extends WrittenKey {
  readonly written: string;
  /** When that was last of use, in milliseconds since the Unix epoch. */
  readonly at: number;
}

/** When an image was made. Times are milliseconds since the Unix epoch. */
export interface CreatedDate {
  readonly digest: string;
  readonly created: number;
  /** When that was last of use. */
  readonly at: number;
}

/** What runs remember for those after them: positions of uploads, digests that were written, and when images were made. */
export class MemoryStore {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  async checkpoint(taskUid: string, key: CheckpointKey): Promise<StoredCheckpoint | undefined> {
    const row = await this.#database
      .prepare("SELECT location, position AS offset FROM sync_checkpoints WHERE key = ?1")
      .bind(checkpointText(taskUid, key))
      .first<StoredCheckpoint>();
    return row ?? undefined;
  }

  async saveCheckpoint(
    taskUid: string,
    key: CheckpointKey,
    { location, offset }: StoredCheckpoint,
    execution: number,
  ): Promise<void> {
    await this.#database
      .prepare(
        `INSERT INTO sync_checkpoints (key, location, position, execution, updated_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET location = excluded.location, position = excluded.position,
           execution = excluded.execution, updated_at = excluded.updated_at`,
      )
      .bind(checkpointText(taskUid, key), location, offset, execution, this.#clock())
      .run();
  }

  async removeCheckpoint(taskUid: string, key: CheckpointKey): Promise<void> {
    const text = checkpointText(taskUid, key);
    await this.#database.prepare("DELETE FROM sync_checkpoints WHERE key = ?1").bind(text).run();
  }

  /** What a task wrote for one digest of the source. */
  async writtenFor(taskUid: string, { target, repository, digest }: WrittenKey): Promise<WrittenDigest | undefined> {
    const row = await this.#database
      .prepare(
        `SELECT target, repository, source_digest AS digest, written_digest AS written, written_at AS at FROM sync_written
         WHERE task_uid = ?1 AND target = ?2 AND repository = ?3 AND source_digest = ?4`,
      )
      .bind(taskUid, target, repository, digest)
      .first<WrittenDigest>();
    return row ?? undefined;
  }

  /** What a task wrote for digests of the source, the latest first, at most `limit` of them. */
  async written(taskUid: string, limit: number): Promise<readonly WrittenDigest[]> {
    const { results } = await this.#database
      .prepare(
        `SELECT target, repository, source_digest AS digest, written_digest AS written, written_at AS at FROM sync_written
         WHERE task_uid = ?1 ORDER BY written_at DESC LIMIT ?2`,
      )
      .bind(taskUid, limit)
      .all<WrittenDigest>();
    return results;
  }

  /** Notes what was written for a digest, or that it is still of use. */
  async saveWritten(taskUid: string, { target, repository, digest }: WrittenKey, written: string): Promise<void> {
    await this.#database
      .prepare(
        `INSERT INTO sync_written (task_uid, target, repository, source_digest, written_digest, written_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET written_digest = excluded.written_digest, written_at = excluded.written_at`,
      )
      .bind(taskUid, target, repository, digest, written, this.#clock())
      .run();
  }

  /** Images that a task has looked at since `time` for what belongs to them, at most `limit`, by their `checkedText`. */
  async checkedSince(taskUid: string, time: number, limit: number): Promise<readonly string[]> {
    const { results } = await this.#database
      .prepare("SELECT image FROM sync_checks WHERE task_uid = ?1 AND checked_at > ?2 LIMIT ?3")
      .bind(taskUid, time, limit)
      .all<{ image: string }>();
    return results.map(({ image }) => image);
  }

  /** Whether a task has looked at an image since `time` for what belongs to it. */
  async wasChecked(taskUid: string, image: CheckedImage, time: number): Promise<boolean> {
    const found = await this.#database
      .prepare("SELECT 1 AS found FROM sync_checks WHERE task_uid = ?1 AND image = ?2 AND checked_at > ?3")
      .bind(taskUid, checkedText(image), time)
      .first<number>("found");
    return found === 1;
  }

  /** Says that a task looked at an image now. */
  async saveChecked(taskUid: string, image: CheckedImage): Promise<void> {
    await this.#database
      .prepare(
        `INSERT INTO sync_checks (task_uid, image, checked_at) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET checked_at = excluded.checked_at`,
      )
      .bind(taskUid, checkedText(image), this.#clock())
      .run();
  }

  /** When images of a registry were made, those that were asked for last, at most `limit`. `registry` is its origin. */
  async created(registry: string, limit: number): Promise<readonly CreatedDate[]> {
    const { results } = await this.#database
      .prepare(
        `SELECT digest, created, seen_at AS at FROM sync_created WHERE registry = ?1 ORDER BY seen_at DESC LIMIT ?2`,
      )
      .bind(registry, limit)
      .all<CreatedDate>();
    return results;
  }

  /** Notes when an image was made, or that it is still of use. */
  async saveCreated(registry: string, digest: string, created: number): Promise<void> {
    await this.#database
      .prepare(
        `INSERT INTO sync_created (registry, digest, created, seen_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET created = excluded.created, seen_at = excluded.seen_at`,
      )
      .bind(registry, digest, created, this.#clock())
      .run();
  }

  /** Deletes what was of no use since `time` (milliseconds), at most `limit` rows of each table. Answers whether there may be more. */
  async prune(time: number, limit: number): Promise<boolean> {
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
        `DELETE FROM sync_created WHERE (registry, digest) IN
           (SELECT registry, digest FROM sync_created WHERE seen_at < ?1 ORDER BY seen_at LIMIT ?2)`,
      ),
    ]);
    return results.some(({ meta }) => meta.changes >= limit);
  }
}

/** Another task may write to the same repository by other rules, in a run of its own. */
function checkpointText(taskUid: string, { origin, repository, digest }: CheckpointKey): string {
  return `${taskUid}|${origin}|${repository}|${digest}`;
}

/** An image as the table of looks has it. */
export function checkedText({ task, repository, digest }: CheckedImage): string {
  return `${task}|${repository}|${digest}`;
}
