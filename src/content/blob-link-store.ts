import { type Digest, namespaceOf, type RepositoryName } from "../oci/index.ts";
import { type Clock, type Database, nearest, type Queries, repeatable } from "../platform/index.ts";
import type { UploadResult } from "./upload-record.ts";

/** A blob that a repository holds. */
export interface LinkedBlob {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly key: string;
  /** Since when no manifest of the repository names it, in milliseconds; `null` while one does. */
  readonly orphanedAt: number | null;
}

export type LinkRemoval =
  | { readonly outcome: "removed" | "unknown" }
  | { readonly outcome: "in-use"; readonly manifest: Digest };

/** Which repository holds which blob. Links are what keeps bytes alive (`garbage-store.ts`). */
export class BlobLinkStore {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /**
   * Records an object and links it, in one batch. Resolves to the key that holds the digest's bytes from now on:
   * another one than the caller's if they were there already.
   */
  async add(repository: RepositoryName, blob: UploadResult): Promise<string> {
    const now = this.#clock();
    const [, stored] = await repeatable(this.#database).batch<{ storage_key: string }>([
      insertRepository(this.#database, repository, now),
      upsertBlob(this.#database, blob, now),
      this.#database
        .prepare(
          `INSERT INTO repository_blobs (repository_id, digest, linked_at, orphaned_at)
           SELECT id, ?2, ?3, ${orphanedAt("?2", "?3")} FROM repositories WHERE name = ?1
           ON CONFLICT DO UPDATE SET orphaned_at = excluded.orphaned_at`,
        )
        .bind(repository, blob.digest, now),
    ]);
    return stored?.results[0]?.storage_key ?? blob.key;
  }

  /** `mayLag` lets a replica answer. What it does not have, the database is asked for. */
  async find(repository: RepositoryName, digest: Digest, mayLag = false): Promise<LinkedBlob | undefined> {
    const near = mayLag ? nearest(this.#database) : undefined;
    const found = near && (await this.#find(near, repository, digest));
    return found ?? this.#find(this.#database, repository, digest);
  }

  async #find(queries: Queries, repository: RepositoryName, digest: Digest): Promise<LinkedBlob | undefined> {
    const row = await queries
      .prepare(
        `SELECT b.size, b.storage_key AS key, l.orphaned_at AS orphanedAt
         FROM repositories r
         JOIN repository_blobs l ON l.repository_id = r.id
         JOIN blobs b ON b.digest = l.digest
         WHERE r.name = ?1 AND l.digest = ?2`,
      )
      .bind(repository, digest)
      .first<Omit<LinkedBlob, "digest">>();
    return row === null ? undefined : { digest, ...row };
  }

  /** Links a blob that `from` holds to `to` as well. Answers whether `from` held it. */
  async mount(from: RepositoryName, to: RepositoryName, digest: Digest): Promise<boolean> {
    const now = this.#clock();
    const held = `SELECT 1 FROM repository_blobs l JOIN repositories r ON r.id = l.repository_id WHERE r.name = ?1 AND l.digest = ?2`;
    const [, linked] = await repeatable(this.#database).batch([
      this.#database
        .prepare(
          `INSERT INTO repositories (name, namespace, created_at) SELECT ?3, ?4, ?5 WHERE EXISTS (${held})
           ON CONFLICT DO NOTHING`,
        )
        .bind(from, digest, to, namespaceOf(to), now),
      this.#database
        .prepare(
          `INSERT INTO repository_blobs (repository_id, digest, linked_at, orphaned_at)
           SELECT id, ?2, ?4, ${orphanedAt("?2", "?4")} FROM repositories WHERE name = ?3 AND EXISTS (${held})
           ON CONFLICT DO UPDATE SET orphaned_at = excluded.orphaned_at
           RETURNING digest`,
        )
        .bind(from, digest, to, now),
    ]);
    return (linked?.results.length ?? 0) > 0;
  }

  /** Repositories that hold a blob, the first `limit` by name. */
  async holders(digest: Digest, limit: number): Promise<RepositoryName[]> {
    const { results } = await this.#database
      .prepare(
        `SELECT r.name FROM repository_blobs l JOIN repositories r ON r.id = l.repository_id
         WHERE l.digest = ?1 ORDER BY r.name LIMIT ?2`,
      )
      .bind(digest, limit)
      .all<{ name: RepositoryName }>();
    return results.map((row) => row.name);
  }

  /** Starts the grace period of an orphan anew: a client was told that it need not push it. */
  async keep(repository: RepositoryName, digest: Digest): Promise<void> {
    await repeatable(this.#database)
      .prepare(
        `UPDATE repository_blobs SET orphaned_at = ?3
         WHERE repository_id = (SELECT id FROM repositories WHERE name = ?1) AND digest = ?2 AND orphaned_at IS NOT NULL`,
      )
      .bind(repository, digest, this.#clock())
      .run();
  }

  /** Unlinks a blob, unless a manifest of the repository names it. */
  async remove(repository: RepositoryName, digest: Digest): Promise<LinkRemoval> {
    const link = `repository_id = (SELECT id FROM repositories WHERE name = ?1)`;
    const [using, removed] = await this.#database.batch<{ digest: Digest }>([
      this.#database
        .prepare(
          `SELECT manifest_digest AS digest FROM manifest_references WHERE ${link} AND target_digest = ?2 LIMIT 1`,
        )
        .bind(repository, digest),
      this.#database
        .prepare(
          `DELETE FROM repository_blobs WHERE ${link} AND digest = ?2
           AND NOT EXISTS (SELECT 1 FROM manifest_references WHERE ${link} AND target_digest = ?2)
           RETURNING digest`,
        )
        .bind(repository, digest),
      condemnBlobs(this.#database, [digest], this.#clock()),
    ]);
    if ((removed?.results.length ?? 0) > 0) return { outcome: "removed" };
    const manifest = using?.results[0]?.digest;
    const held = manifest !== undefined && (await this.find(repository, digest)) !== undefined;
    return held ? { outcome: "in-use", manifest } : { outcome: "unknown" };
  }
}

/** Of a link to `digest` that is made at `now` in a row of `repositories`: since when it is an orphan, if it is one. */
function orphanedAt(digest: string, now: string): string {
  return `CASE WHEN EXISTS (
    SELECT 1 FROM manifest_references WHERE repository_id = repositories.id AND target_digest = ${digest}
  ) THEN NULL ELSE ${now} END`;
}

export function insertRepository(database: Database, repository: RepositoryName, now: number): D1PreparedStatement {
  return database
    .prepare("INSERT INTO repositories (name, namespace, created_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")
    .bind(repository, namespaceOf(repository), now);
}

/** Records an object under its digest, or takes the digest's earlier object out of the sweeper's reach. Returns the key. */
export function upsertBlob(database: Database, blob: UploadResult, now: number): D1PreparedStatement {
  return database
    .prepare(
      `INSERT INTO blobs (digest, size, storage_key, created_at) VALUES (?1, ?2, ?3, ?4)
       ON CONFLICT DO UPDATE SET condemned_at = NULL RETURNING storage_key`,
    )
    .bind(blob.digest, blob.size, blob.key, now);
}

/** Starts the grace period of those among `digests` that nothing holds any more. */
export function condemnBlobs(database: Database, digests: readonly Digest[], now: number): D1PreparedStatement {
  return database
    .prepare(
      `UPDATE blobs SET condemned_at = ?2
       WHERE digest IN (SELECT value FROM json_each(?1)) AND ${UNHELD}`,
    )
    .bind(JSON.stringify(digests), now);
}

/** Of a row of `blobs`: no repository links it and no manifest is made of it. */
export const UNHELD = `NOT EXISTS (SELECT 1 FROM repository_blobs l WHERE l.digest = blobs.digest)
  AND NOT EXISTS (SELECT 1 FROM manifests m WHERE m.digest = blobs.digest)`;
