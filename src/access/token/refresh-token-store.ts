import { type Database, repeatable } from "../../platform/index.ts";
import type { CredentialUse } from "../identity.ts";

/** A refresh token as it is stored; the token itself is not. */
export interface StoredRefreshToken {
  readonly id: string;
  /** SHA-256 of the whole text, in hexadecimal. */
  readonly hash: string;
  readonly identity: string;
  /** What it was made from. */
  readonly credential: CredentialUse;
  /** As `Principal.issuer`. */
  readonly issuer: string | undefined;
  readonly service: string;
  readonly clientId: string;
  /** In milliseconds since the Unix epoch, as `expiresAt`. */
  readonly createdAt: number;
  readonly expiresAt: number;
}

interface Row extends Omit<StoredRefreshToken, "credential" | "issuer"> {
  readonly credentialType: CredentialUse["type"];
  readonly credentialId: string | null;
  readonly issuer: string | null;
}

/** Refresh tokens that one identity can have; the oldest make room. */
export const REFRESH_TOKENS_PER_IDENTITY = 100;

/** Refresh tokens of the token service in D1. */
export class RefreshTokenStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async add(token: StoredRefreshToken): Promise<void> {
    await repeatable(this.#database).batch([
      this.#database
        .prepare(
          `INSERT INTO access_refresh_tokens
             (id, hash, identity, credential_type, credential_id, service, client_id, created_at, expires_at, issuer)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING`,
        )
        .bind(
          token.id,
          token.hash,
          token.identity,
          token.credential.type,
          token.credential.id ?? null,
          token.service,
          token.clientId,
          token.createdAt,
          token.expiresAt,
          token.issuer ?? null,
        ),
      this.#database
        .prepare(
          `DELETE FROM access_refresh_tokens WHERE id IN (
             SELECT id FROM access_refresh_tokens WHERE identity = ?1 ORDER BY created_at DESC, id DESC LIMIT -1 OFFSET ?2)`,
        )
        .bind(token.identity, REFRESH_TOKENS_PER_IDENTITY),
    ]);
  }

  async byHash(hash: string): Promise<StoredRefreshToken | undefined> {
    const row = await this.#database
      .prepare(
        `SELECT id, hash, identity, credential_type AS credentialType, credential_id AS credentialId, service,
           client_id AS clientId, created_at AS createdAt, expires_at AS expiresAt, issuer
         FROM access_refresh_tokens WHERE hash = ?1`,
      )
      .bind(hash)
      .first<Row>();
    if (row === null) return undefined;
    const { credentialType: type, credentialId: id, ...rest } = row;
    return { ...rest, issuer: row.issuer ?? undefined, credential: id === null ? { type } : { type, id } };
  }

  /** Deletes at most `limit` that have expired at `now`. Answers how many. */
  async prune(now: number, limit: number): Promise<number> {
    const { meta } = await this.#database
      .prepare(
        `DELETE FROM access_refresh_tokens WHERE id IN (
           SELECT id FROM access_refresh_tokens WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)`,
      )
      .bind(now, limit)
      .run();
    return meta.changes;
  }
}
