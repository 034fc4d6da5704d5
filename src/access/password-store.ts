import { type Clock, type Database, repeatable } from "../platform/index.ts";
import { bumpGeneration } from "./generation-store.ts";

/** The hash of a user's password. */
export interface StoredPassword {
  /** As `PasswordHasher` writes it. */
  readonly hash: string;
  /** When the password was set, in milliseconds since the Unix epoch; a new hash of the same password leaves it. */
  readonly changedAt: number;
}

/** Hashes of users' passwords. Everything that changes one ends what was signed in by the old one. */
export class PasswordStore {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  async get(user: string): Promise<StoredPassword | undefined> {
    const row = await this.#database
      .prepare("SELECT hash, changed_at FROM access_passwords WHERE user = ?1")
      .bind(user)
      .first<{ hash: string; changed_at: number }>();
    return row === null ? undefined : { hash: row.hash, changedAt: row.changed_at };
  }

  /** Sets the password, and ends the user's sessions and refresh tokens. */
  async set(user: string, hash: string): Promise<void> {
    await repeatable(this.#database).batch([
      this.#database
        .prepare(
          "INSERT INTO access_passwords (user, hash, changed_at) VALUES (?1, ?2, ?3) " +
            "ON CONFLICT (user) DO UPDATE SET hash = excluded.hash, changed_at = excluded.changed_at",
        )
        .bind(user, hash, this.#clock()),
      ...this.#signOut(user),
      bumpGeneration(this.#database),
    ]);
  }

  /** Puts a costlier hash of the same password in the place of `from`, unless the password was changed since. */
  async rehash(user: string, from: string, to: string): Promise<void> {
    await repeatable(this.#database)
      .prepare("UPDATE access_passwords SET hash = ?3 WHERE user = ?1 AND hash = ?2")
      .bind(user, from, to)
      .run();
  }

  /** Takes the password away, and ends the user's sessions and refresh tokens. Whether there was one. */
  async delete(user: string): Promise<boolean> {
    const [deleted] = await this.#database.batch([
      this.#database.prepare("DELETE FROM access_passwords WHERE user = ?1").bind(user),
      ...this.#signOut(user),
      bumpGeneration(this.#database),
    ]);
    return (deleted?.meta.changes ?? 0) > 0;
  }

  #signOut(user: string): D1PreparedStatement[] {
    return [
      this.#database.prepare("DELETE FROM access_sessions WHERE identity = ?1").bind(user),
      this.#database.prepare("DELETE FROM access_refresh_tokens WHERE identity = ?1").bind(user),
    ];
  }
}
