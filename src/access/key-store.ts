import { type Clock, type Database, repeatable } from "../platform/index.ts";
import { bumpGeneration } from "./generation-store.ts";

/** A key as it is kept. Times are in milliseconds since the Unix epoch. */
export interface StoredKey {
  readonly id: string;
  /** Whose key it is, by the identity's name. */
  readonly identity: string;
  readonly name: string;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly expiresAt: number | null;
  readonly lastUsedAt: number | null;
  readonly revokedAt: number | null;
  /** The key that this one took the place of. */
  readonly replaces: string | null;
  /** By which issuer its maker had signed in (`Principal.issuer`); it gets no more than they did. */
  readonly issuer: string | null;
}

/** What authentication needs, besides. It is in no list. */
export interface HashedKey extends StoredKey {
  readonly hash: string;
}

/** A key to keep. */
export interface NewKey {
  readonly id: string;
  readonly hash: string;
  readonly identity: string;
  readonly name: string;
  readonly createdBy: string;
  readonly expiresAt: number | undefined;
  readonly issuer: string | undefined;
}

/** Whether a key is good at a time. */
export function keyState(
  key: Pick<StoredKey, "expiresAt" | "revokedAt">,
  now: number,
): "active" | "expired" | "revoked" {
  if (key.revokedAt !== null) return "revoked";
  return key.expiresAt !== null && key.expiresAt <= now ? "expired" : "active";
}

const COLUMNS = `id, identity, name, created_at AS createdAt, created_by AS createdBy, expires_at AS expiresAt,
  last_used_at AS lastUsedAt, revoked_at AS revokedAt, replaces, issuer`;
const ACTIVE = "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?1)";

/** API keys, in D1: never the keys themselves. */
export class KeyStore {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  async insert(key: NewKey): Promise<StoredKey> {
    const now = this.#clock();
    const { id, identity, name, createdBy } = key;
    await repeatable(this.#database).batch([
      this.#database
        .prepare(
          `INSERT INTO access_keys (id, identity, name, hash, created_at, created_by, expires_at, issuer)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING`,
        )
        .bind(id, identity, name, key.hash, now, createdBy, key.expiresAt ?? null, key.issuer ?? null),
      bumpGeneration(this.#database),
    ]);
    const expiresAt = key.expiresAt ?? null;
    return {
      id,
      identity,
      name,
      createdAt: now,
      createdBy,
      expiresAt,
      lastUsedAt: null,
      revokedAt: null,
      replaces: null,
      issuer: key.issuer ?? null,
    };
  }

  /**
   * Puts a key in the place of an active one of the same identity, which stays good for `overlap` milliseconds more, or
   * for as long as it would have been if that is less. It gets no more than that one did. `false`: there is no such key.
   */
  async replace(old: string, key: NewKey, overlap: number): Promise<boolean> {
    const now = this.#clock();
    const ended =
      overlap > 0
        ? this.#database.prepare(
            `UPDATE access_keys SET expires_at = min(coalesce(expires_at, ?4), ?4)
             WHERE id = ?2 AND identity = ?3 AND ${ACTIVE}`,
          )
        : this.#database.prepare(
            `UPDATE access_keys SET revoked_at = ?4 WHERE id = ?2 AND identity = ?3 AND ${ACTIVE}`,
          );
    const [inserted] = await this.#database.batch([
      this.#database
        .prepare(
          `INSERT INTO access_keys (id, identity, name, hash, created_at, created_by, expires_at, replaces, issuer)
           SELECT ?4, identity, ?5, ?6, ?1, ?7, ?8, id, coalesce(issuer, ?9) FROM access_keys WHERE id = ?2 AND identity = ?3 AND ${ACTIVE}`,
        )
        .bind(
          now,
          old,
          key.identity,
          key.id,
          key.name,
          key.hash,
          key.createdBy,
          key.expiresAt ?? null,
          key.issuer ?? null,
        ),
      ended.bind(now, old, key.identity, now + overlap),
      bumpGeneration(this.#database),
    ]);
    return inserted?.meta.changes === 1;
  }

  /** Ends a key at once. `undefined`: the identity has none of that id. What is revoked already stays as it is. */
  async revoke(identity: string, id: string): Promise<StoredKey | undefined> {
    await repeatable(this.#database).batch([
      this.#database
        .prepare("UPDATE access_keys SET revoked_at = ?1 WHERE id = ?2 AND identity = ?3 AND revoked_at IS NULL")
        .bind(this.#clock(), id, identity),
      bumpGeneration(this.#database),
    ]);
    const key = await this.find(id);
    if (key?.identity !== identity) return undefined;
    const { hash: _hash, ...shown } = key;
    return shown;
  }

  /** Takes a key away, as though it had never been. */
  async remove(id: string): Promise<void> {
    await repeatable(this.#database).batch([
      this.#database.prepare("DELETE FROM access_keys WHERE id = ?1").bind(id),
      bumpGeneration(this.#database),
    ]);
  }

  async find(id: string): Promise<HashedKey | undefined> {
    const row = await this.#database
      .prepare(`SELECT ${COLUMNS}, hash FROM access_keys WHERE id = ?1`)
      .bind(id)
      .first<HashedKey>();
    return row ?? undefined;
  }

  /** Keys of an identity, the newest first. */
  async of(identity: string, limit: number): Promise<readonly StoredKey[]> {
    const { results } = await this.#database
      .prepare(`SELECT ${COLUMNS} FROM access_keys WHERE identity = ?1 ORDER BY created_at DESC, id LIMIT ?2`)
      .bind(identity, limit)
      .all<StoredKey>();
    return results;
  }

  /** How many keys of an identity are good now. */
  async countActive(identity: string): Promise<number> {
    const row = await this.#database
      .prepare(`SELECT count(*) AS count FROM access_keys WHERE identity = ?2 AND ${ACTIVE}`)
      .bind(this.#clock(), identity)
      .first<{ count: number }>();
    return row?.count ?? 0;
  }

  /** Notes that a key was used at `time`. */
  async touch(id: string, time: number): Promise<void> {
    await repeatable(this.#database)
      .prepare("UPDATE access_keys SET last_used_at = max(coalesce(last_used_at, 0), ?2) WHERE id = ?1")
      .bind(id, time)
      .run();
  }

  /** Forgets keys revoked or expired before `before`, at most `limit` of them. Answers how many. */
  async prune(before: number, limit: number): Promise<number> {
    const { meta } = await this.#database
      .prepare(
        `DELETE FROM access_keys WHERE id IN (
           SELECT id FROM access_keys WHERE revoked_at IS NOT NULL AND revoked_at < ?1
           UNION SELECT id FROM access_keys WHERE expires_at IS NOT NULL AND expires_at < ?1 LIMIT ?2)`,
      )
      .bind(before, limit)
      .run();
    return meta.changes;
  }
}
