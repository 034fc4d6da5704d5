import type { Clock, Database } from "../../platform/index.ts";
import type { WrappedKey } from "./master-keys.ts";

/** A data key of a namespace. */
export interface StoredDataKey extends WrappedKey {
  readonly id: string;
  readonly namespace: string;
}

const COLUMNS = "id, namespace, master_key AS masterKey, wrapped";

/** Data keys in D1, encrypted. */
export class DataKeyStore {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** The key that encrypts for a namespace. */
  async active(namespace: string): Promise<StoredDataKey | undefined> {
    return (await this.#selectActive(namespace).first<StoredDataKey>()) ?? undefined;
  }

  async get(id: string): Promise<StoredDataKey | undefined> {
    const statement = this.#database.prepare(`SELECT ${COLUMNS} FROM secret_data_keys WHERE id = ?1`).bind(id);
    return (await statement.first<StoredDataKey>()) ?? undefined;
  }

  /** Adds the first key of a namespace. Resolves to the active one, which may be another's. */
  async addFirst(key: StoredDataKey): Promise<StoredDataKey> {
    const [, active] = await this.#database.batch<StoredDataKey>([
      this.#insert(key, "ON CONFLICT DO NOTHING"),
      this.#selectActive(key.namespace),
    ]);
    return active?.results[0] ?? key;
  }

  /** Makes `key` the active one of its namespace; the one before it only decrypts from now on. */
  async replace(key: StoredDataKey): Promise<void> {
    await this.#database.batch([
      this.#database
        .prepare("UPDATE secret_data_keys SET retired_at = ?2 WHERE namespace = ?1 AND retired_at IS NULL")
        .bind(key.namespace, this.#clock()),
      this.#insert(key, ""),
    ]);
  }

  /** Keys under another master key than `masterKey`, by id, those after `after`. */
  async underOther(masterKey: string, after: string, limit: number): Promise<StoredDataKey[]> {
    const { results } = await this.#database
      .prepare(
        // Two ranges of the index: `<>`, or the order of the ids, would read all keys.
        `SELECT ${COLUMNS} FROM secret_data_keys WHERE (master_key < ?1 OR master_key > ?1) AND +id > ?2
         ORDER BY +id LIMIT ?3`,
      )
      .bind(masterKey, after, limit)
      .all<StoredDataKey>();
    return results;
  }

  /** Stores the same key under another master key, unless someone else did. */
  async rewrap(before: StoredDataKey, after: WrappedKey): Promise<void> {
    await this.#database
      .prepare("UPDATE secret_data_keys SET master_key = ?3, wrapped = ?4 WHERE id = ?1 AND wrapped = ?2")
      .bind(before.id, before.wrapped, after.masterKey, after.wrapped)
      .run();
  }

  /** Forgets retired keys that no value is under. A write that still uses one fails on its reference, and starts over. */
  async forgetUnused(): Promise<number> {
    const { meta } = await this.#database
      .prepare(
        `DELETE FROM secret_data_keys WHERE retired_at IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM secret_values WHERE data_key = secret_data_keys.id)`,
      )
      .run();
    return meta.changes;
  }

  #selectActive(namespace: string): D1PreparedStatement {
    return this.#database
      .prepare(`SELECT ${COLUMNS} FROM secret_data_keys WHERE namespace = ?1 AND retired_at IS NULL`)
      .bind(namespace);
  }

  #insert(key: StoredDataKey, onConflict: string): D1PreparedStatement {
    return this.#database
      .prepare(
        `INSERT INTO secret_data_keys (id, namespace, master_key, wrapped, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5) ${onConflict}`,
      )
      .bind(key.id, key.namespace, key.masterKey, key.wrapped, this.#clock());
  }
}
