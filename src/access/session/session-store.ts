import { type Database, repeatable } from "../../platform/index.ts";
import { bumpGeneration } from "../generation-store.ts";

/** A sign-in in a browser. */
export interface Session {
  /** Names it, and is no secret. */
  readonly id: string;
  readonly identity: string;
  /** The `FederatedIssuer` that it came by; `undefined` for a password. */
  readonly issuer: string | undefined;
  /** What it was made of: the id of the password (`PasswordIds`) or, with an issuer, the claim `sub`. */
  readonly credential: string;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number;
}

interface SessionRow {
  readonly id: string;
  readonly identity: string;
  readonly issuer: string | null;
  readonly credential: string;
  readonly expires_at: number;
}

/** The table `access_sessions`. Times are milliseconds since the Unix epoch. */
export class SessionStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** @param hash of the session's secret, in hexadecimal */
  async insert(session: Session, hash: string, createdAt: number): Promise<void> {
    await repeatable(this.#database)
      .prepare(
        `INSERT INTO access_sessions (id, hash, identity, issuer, credential, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING`,
      )
      .bind(
        session.id,
        hash,
        session.identity,
        session.issuer ?? null,
        session.credential,
        createdAt,
        session.expiresAt,
      )
      .run();
  }

  /** The session with that hash, unless it ended before `now`. */
  async find(hash: string, now: number): Promise<Session | undefined> {
    const row = await this.#database
      .prepare(
        "SELECT id, identity, issuer, credential, expires_at FROM access_sessions WHERE hash = ?1 AND expires_at > ?2",
      )
      .bind(hash, now)
      .first<SessionRow>();
    if (row === null) return undefined;
    const { id, identity, credential } = row;
    return { id, identity, issuer: row.issuer ?? undefined, credential, expiresAt: row.expires_at };
  }

  /** Ends a session, everywhere. */
  async delete(id: string): Promise<void> {
    await repeatable(this.#database).batch([
      this.#database.prepare("DELETE FROM access_sessions WHERE id = ?1").bind(id),
      bumpGeneration(this.#database),
    ]);
  }
}

/** Forgets sessions that ended before `before` (milliseconds), at most `limit` of them. Answers how many. */
export async function pruneSessions(database: Database, before: number, limit: number): Promise<number> {
  const { meta } = await database
    .prepare(
      `DELETE FROM access_sessions WHERE id IN (
         SELECT id FROM access_sessions WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)`,
    )
    .bind(before, limit)
    .run();
  return meta.changes;
}
