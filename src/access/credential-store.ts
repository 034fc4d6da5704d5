import { type Clock, type Database, repeatable } from "../platform/index.ts";
import { bumpGeneration } from "./generation-store.ts";

/** What an account has to sign in with. */
export interface CredentialSummary {
  readonly passwordSet: boolean;
  /** API keys that are good now. */
  readonly keys: number;
}

const KEYS =
  "SELECT identity, count(*) AS keys FROM access_keys WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?1)";

/** Everything that proves who one is, over all its tables. */
export class CredentialStore {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /**
   * Forgets passwords, keys, sessions and refresh tokens of identities, so that a later account of the name has none of
   * them. One batch.
   * @param until only what was made up to this time (milliseconds)
   */
  async forget(identities: readonly string[], until: number = Number.MAX_SAFE_INTEGER): Promise<void> {
    if (identities.length === 0) return;
    const names = JSON.stringify(identities);
    const made = [
      "DELETE FROM access_passwords WHERE user IN (SELECT value FROM json_each(?1)) AND changed_at <= ?2",
      "DELETE FROM access_keys WHERE identity IN (SELECT value FROM json_each(?1)) AND created_at <= ?2",
      "DELETE FROM access_sessions WHERE identity IN (SELECT value FROM json_each(?1)) AND created_at <= ?2",
      "DELETE FROM access_refresh_tokens WHERE identity IN (SELECT value FROM json_each(?1)) AND created_at <= ?2",
    ];
    await repeatable(this.#database).batch([
      ...made.map((sql) => this.#database.prepare(sql).bind(names, until)),
      bumpGeneration(this.#database),
    ]);
  }

  /** What identities have, or all that have anything; an identity that has nothing may be missing. */
  async summaries(identities?: readonly string[]): Promise<ReadonlyMap<string, CredentialSummary>> {
    const [keys, passwords] = await this.#database.batch<{ identity: string; keys: number }>(
      identities === undefined
        ? [
            this.#database.prepare(`${KEYS} GROUP BY identity`).bind(this.#clock()),
            this.#database.prepare("SELECT user AS identity, 0 AS keys FROM access_passwords"),
          ]
        : [
            this.#database
              .prepare(`${KEYS} AND identity IN (SELECT value FROM json_each(?2)) GROUP BY identity`)
              .bind(this.#clock(), JSON.stringify(identities)),
            this.#database
              .prepare(
                "SELECT user AS identity, 0 AS keys FROM access_passwords WHERE user IN (SELECT value FROM json_each(?1))",
              )
              .bind(JSON.stringify(identities)),
          ],
    );
    const found = new Map<string, CredentialSummary>();
    for (const row of keys?.results ?? []) found.set(row.identity, { passwordSet: false, keys: row.keys });
    for (const { identity } of passwords?.results ?? []) {
      found.set(identity, { passwordSet: true, keys: found.get(identity)?.keys ?? 0 });
    }
    return found;
  }
}
