import { type Database, repeatable } from "../../platform/index.ts";

/** A key of the token service as it is stored. */
export interface StoredSigningKey {
  readonly kid: string;
  /** JSON text: the JWK as `KeyWrapper` encrypted it, or as it is where there is none. It never leaves the Worker. */
  readonly privateJwk: string;
  readonly publicJwk: string;
  /** In milliseconds since the Unix epoch, as `expiresAt`. */
  readonly createdAt: number;
  /** From when on it verifies nothing. */
  readonly expiresAt: number;
}

/** Signing keys of the token service in D1. */
export class SigningKeyStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Keys that have not expired at `now`, the newest first. */
  async list(now: number): Promise<StoredSigningKey[]> {
    return (await this.#list(now).all<StoredSigningKey>()).results;
  }

  /**
   * Adds a key unless there is one made after `newerThan`, and answers the keys as they are then. Those named in `retired`
   * do not count, and verify nothing from `retiredUntil` on.
   */
  async addUnlessNewer(
    key: StoredSigningKey,
    newerThan: number,
    retired: readonly string[],
    retiredUntil: number,
  ): Promise<StoredSigningKey[]> {
    const names = JSON.stringify(retired);
    const [, , listed] = await repeatable(this.#database).batch<StoredSigningKey>([
      this.#database
        .prepare(
          `INSERT INTO access_signing_keys (kid, private_jwk, public_jwk, created_at, expires_at)
           SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS (
             SELECT 1 FROM access_signing_keys WHERE created_at > ?6 AND kid NOT IN (SELECT value FROM json_each(?7)))`,
        )
        .bind(key.kid, key.privateJwk, key.publicJwk, key.createdAt, key.expiresAt, newerThan, names),
      this.#database
        .prepare(
          `UPDATE access_signing_keys SET expires_at = min(expires_at, ?2)
           WHERE kid IN (SELECT value FROM json_each(?1))`,
        )
        .bind(names, retiredUntil),
      this.#list(key.createdAt),
    ]);
    return listed?.results ?? [];
  }

  /** Deletes what has expired at `now`. Answers how many. */
  async prune(now: number): Promise<number> {
    const { meta } = await this.#database
      .prepare("DELETE FROM access_signing_keys WHERE expires_at <= ?1")
      .bind(now)
      .run();
    return meta.changes;
  }

  #list(now: number): D1PreparedStatement {
    return this.#database
      .prepare(
        `SELECT kid, private_jwk AS privateJwk, public_jwk AS publicJwk, created_at AS createdAt, expires_at AS expiresAt
         FROM access_signing_keys WHERE expires_at > ?1 ORDER BY created_at DESC, kid DESC`,
      )
      .bind(now);
  }
}
