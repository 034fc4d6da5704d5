import type { Digest } from "../oci/index.ts";
import type { Clock, Database } from "../platform/index.ts";
import { condemnBlobs, UNHELD } from "./blob-link-store.ts";

/** Finds and forgets what nothing refers to. Each method does a bounded amount and answers how much. */
export class GarbageStore {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Unlinks blobs that no manifest of their repository named since `before` (milliseconds). */
  async unlinkOrphans(before: number, limit: number): Promise<number> {
    const { results } = await this.#database
      .prepare("SELECT repository_id AS repository, digest FROM repository_blobs WHERE orphaned_at < ?1 LIMIT ?2")
      .bind(before, limit)
      .all<{ repository: number; digest: Digest }>();
    if (results.length === 0) return 0;
    // The condition stands again in the delete: a push in between may have adopted the blob.
    const [unlinked] = await this.#database.batch([
      this.#database
        .prepare(
          `DELETE FROM repository_blobs WHERE orphaned_at < ?1 AND (repository_id, digest) IN (
             SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?2))`,
        )
        .bind(before, JSON.stringify(results.map((row) => [row.repository, row.digest]))),
      condemnBlobs(
        this.#database,
        results.map((row) => row.digest),
        this.#clock(),
      ),
    ]);
    return unlinked?.meta.changes ?? 0;
  }

  /** Forgets blobs that were condemned before `before` and that nothing took up since. Resolves to their keys. */
  async forgetCondemned(before: number, limit: number): Promise<string[]> {
    const { results } = await this.#database
      .prepare(
        `DELETE FROM blobs WHERE digest IN (SELECT digest FROM blobs WHERE condemned_at < ?1 LIMIT ?2)
         AND condemned_at < ?1 AND ${UNHELD} RETURNING storage_key AS key`,
      )
      .bind(before, limit)
      .all<{ key: string }>();
    return results.map((row) => row.key);
  }

  /** Those among `keys` that no blob is stored under. */
  async unknownKeys(keys: readonly string[]): Promise<string[]> {
    const { results } = await this.#database
      .prepare(
        `SELECT value AS key FROM json_each(?1) WHERE NOT EXISTS (SELECT 1 FROM blobs WHERE storage_key = value)`,
      )
      .bind(JSON.stringify(keys))
      .all<{ key: string }>();
    return results.map((row) => row.key);
  }
}
