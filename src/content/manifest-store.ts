import type { Digest, Reference, RepositoryName, Tag } from "../oci/index.ts";
import { type Clock, type Database, nearest, type Queries, repeatable } from "../platform/index.ts";
import { condemnBlobs, insertRepository, upsertBlob } from "./blob-link-store.ts";
import type { ManifestReference, PushedManifest } from "./pushed-manifest.ts";
import type { UploadResult } from "./upload-record.ts";

/** A manifest that a repository holds. */
export interface StoredManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes. */
  readonly size: number;
  readonly key: string;
}

/** A manifest whose subject is another one. `annotations` is JSON, or `null` if it was too long to be kept beside the bytes. */
export interface ReferrerRow extends StoredManifest {
  readonly artifactType: string | null;
  readonly annotations: string | null;
}

/** A push, its bytes already in the store. */
export interface ManifestPush {
  readonly repository: RepositoryName;
  readonly object: UploadResult;
  readonly pushed: PushedManifest;
  readonly tags: readonly Tag[];
}

/** Annotations up to this many characters are kept in the row; longer ones are read from the bytes when asked for. */
const MAX_ANNOTATIONS_TEXT = 64 * 1024;

/** What SQLite says when the guard of `put` finds a reference missing. */
const GUARD_FAILED = "malformed JSON";

/** The manifests of repositories, what they refer to, and their tags. */
export class ManifestStore {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /**
   * Records a manifest with its references and tags, all or nothing. Resolves to the key of its bytes, or to
   * `undefined` when content that it requires is not in the repository: then nothing was recorded.
   */
  async put(push: ManifestPush): Promise<string | undefined> {
    const now = this.#clock();
    const { repository, object, pushed } = push;
    try {
      const [, , stored] = await repeatable(this.#database).batch<{ storage_key: string }>([
        insertRepository(this.#database, repository, now),
        this.#guard(repository, pushed.references),
        upsertBlob(this.#database, object, now),
        this.#insertManifest(push, now),
        this.#insertReferences(push),
        this.#adoptOrphans(repository, pushed.references),
        this.#setTags(push, now),
      ]);
      return stored?.results[0]?.storage_key ?? object.key;
    } catch (error) {
      if (String(error).includes(GUARD_FAILED)) return undefined;
      throw error;
    }
  }

  /** Those among `references` that are required and not in the repository. */
  async missing(repository: RepositoryName, references: readonly ManifestReference[]): Promise<Digest[]> {
    const { results } = await this.#database
      .prepare(`SELECT DISTINCT digest FROM (${MISSING})`)
      .bind(repository, ...requiredDigests(references))
      .all<{ digest: Digest }>();
    return results.map((row) => row.digest);
  }

  /** `mayLag` lets a replica answer, unless it is for a tag, which moves. What it does not have, the database is asked for. */
  async find(repository: RepositoryName, reference: Reference, mayLag = false): Promise<StoredManifest | undefined> {
    const near = mayLag && reference.kind === "digest" ? nearest(this.#database) : undefined;
    const found = near && (await this.#find(near, repository, reference));
    return found ?? this.#find(this.#database, repository, reference);
  }

  async #find(queries: Queries, repository: RepositoryName, reference: Reference): Promise<StoredManifest | undefined> {
    const byTag = reference.kind === "tag";
    const row = await queries
      .prepare(
        `SELECT m.digest, m.media_type AS mediaType, b.size, b.storage_key AS key
         FROM repositories r
         ${byTag ? "JOIN tags t ON t.repository_id = r.id AND t.name = ?2" : ""}
         JOIN manifests m ON m.repository_id = r.id AND m.digest = ${byTag ? "t.digest" : "?2"}
         JOIN blobs b ON b.digest = m.digest
         WHERE r.name = ?1`,
      )
      .bind(repository, byTag ? reference.tag : reference.digest)
      .first<StoredManifest>();
    return row ?? undefined;
  }

  /** Removes a manifest and the tags that name it. Answers whether it was there. */
  async remove(repository: RepositoryName, digest: Digest): Promise<boolean> {
    const now = this.#clock();
    const here = "repository_id = (SELECT id FROM repositories WHERE name = ?1)";
    const [, removed] = await this.#database.batch<{ digest: Digest }>([
      this.#database
        .prepare(
          `UPDATE repository_blobs SET orphaned_at = ?3
           WHERE ${here} AND digest IN (
             SELECT target_digest FROM manifest_references WHERE ${here} AND manifest_digest = ?2)
           AND NOT EXISTS (
             SELECT 1 FROM manifest_references other
             WHERE other.repository_id = repository_blobs.repository_id
             AND other.target_digest = repository_blobs.digest AND other.manifest_digest <> ?2)`,
        )
        .bind(repository, digest, now),
      this.#database
        .prepare(`DELETE FROM manifests WHERE ${here} AND digest = ?2 RETURNING digest`)
        .bind(repository, digest),
      condemnBlobs(this.#database, [digest], now),
    ]);
    return (removed?.results.length ?? 0) > 0;
  }

  /** A page of the manifests whose subject is `subject`, by digest, after `after`. */
  async referrers(
    repository: RepositoryName,
    subject: Digest,
    page: { readonly artifactType: string | undefined; readonly after: string; readonly limit: number },
  ): Promise<ReferrerRow[]> {
    const { results } = await this.#database
      .prepare(
        `SELECT m.digest, m.media_type AS mediaType, b.size, b.storage_key AS key,
           m.artifact_type AS artifactType, m.annotations
         FROM manifests m JOIN blobs b ON b.digest = m.digest
         WHERE m.repository_id = (SELECT id FROM repositories WHERE name = ?1) AND m.subject = ?2 AND m.digest > ?3
         AND (?4 IS NULL OR m.artifact_type = ?4)
         ORDER BY m.digest LIMIT ?5`,
      )
      .bind(repository, subject, page.after, page.artifactType ?? null, page.limit)
      .all<ReferrerRow>();
    return results;
  }

  /** Fails the batch that it is part of if a required reference is missing. */
  #guard(repository: RepositoryName, references: readonly ManifestReference[]): D1PreparedStatement {
    return this.#database
      .prepare(`SELECT CASE WHEN EXISTS (${MISSING}) THEN json('missing') END`)
      .bind(repository, ...requiredDigests(references));
  }

  #insertManifest({ repository, object, pushed: { manifest } }: ManifestPush, now: number): D1PreparedStatement {
    const annotations = JSON.stringify(manifest.annotations ?? {});
    return this.#database
      .prepare(
        `INSERT INTO manifests (repository_id, digest, media_type, artifact_type, subject, annotations, pushed_at)
         SELECT id, ?2, ?3, ?4, ?5, ?6, ?7 FROM repositories WHERE name = ?1
         ON CONFLICT DO UPDATE SET media_type = excluded.media_type, pushed_at = excluded.pushed_at`,
      )
      .bind(
        repository,
        object.digest,
        manifest.mediaType,
        manifest.artifactType ?? null,
        manifest.subject?.digest ?? null,
        annotations.length <= MAX_ANNOTATIONS_TEXT ? annotations : null,
        now,
      );
  }

  #insertReferences({ repository, object, pushed }: ManifestPush): D1PreparedStatement {
    const references = pushed.references.map(({ kind, digest }) => [kind, digest]);
    return this.#database
      .prepare(
        `INSERT INTO manifest_references (repository_id, manifest_digest, kind, target_digest)
         SELECT r.id, ?2, json_extract(j.value, '$[0]'), json_extract(j.value, '$[1]')
         FROM repositories r, json_each(?3) j WHERE r.name = ?1
         ON CONFLICT DO NOTHING`,
      )
      .bind(repository, object.digest, JSON.stringify(references));
  }

  #adoptOrphans(repository: RepositoryName, references: readonly ManifestReference[]): D1PreparedStatement {
    return this.#database
      .prepare(
        `UPDATE repository_blobs SET orphaned_at = NULL
         WHERE repository_id = (SELECT id FROM repositories WHERE name = ?1)
         AND digest IN (SELECT value FROM json_each(?2)) AND orphaned_at IS NOT NULL`,
      )
      .bind(repository, JSON.stringify(references.map(({ digest }) => digest)));
  }

  #setTags({ repository, object, tags }: ManifestPush, now: number): D1PreparedStatement {
    return this.#database
      .prepare(
        `INSERT INTO tags (repository_id, name, digest, updated_at)
         SELECT r.id, j.value, ?2, ?4 FROM repositories r, json_each(?3) j WHERE r.name = ?1
         ON CONFLICT DO UPDATE SET digest = excluded.digest, updated_at = excluded.updated_at`,
      )
      .bind(repository, object.digest, JSON.stringify(tags), now);
  }
}

/**
 * Digests of required content that repository `?1` does not hold: blobs among `?2`, children of an index among `?3` (JSON
 * arrays). A child is a manifest; BuildKit's cache is an index of blobs.
 */
const MISSING = `
  SELECT j.value AS digest FROM json_each(?2) j WHERE NOT EXISTS (
    SELECT 1 FROM repository_blobs l WHERE l.digest = j.value
    AND l.repository_id = (SELECT id FROM repositories WHERE name = ?1))
  UNION ALL
  SELECT j.value AS digest FROM json_each(?3) j WHERE NOT EXISTS (
    SELECT 1 FROM manifests m WHERE m.digest = j.value
    AND m.repository_id = (SELECT id FROM repositories WHERE name = ?1))
  AND NOT EXISTS (
    SELECT 1 FROM repository_blobs l WHERE l.digest = j.value
    AND l.repository_id = (SELECT id FROM repositories WHERE name = ?1))`;

function requiredDigests(references: readonly ManifestReference[]): [blobs: string, manifests: string] {
  const required = references.filter((reference) => reference.required);
  const digests = (manifests: boolean) =>
    JSON.stringify(required.filter(({ kind }) => (kind === "manifest") === manifests).map(({ digest }) => digest));
  return [digests(false), digests(true)];
}
