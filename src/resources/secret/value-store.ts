import { type Clock, type Database, repeatable } from "../../platform/index.ts";

/** A version of a value, encrypted. */
export interface StoredValue {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly version: number;
  /** The data key it is under. */
  readonly dataKey: string;
  readonly ciphertext: string;
}

/** A row as garbage collection sees it. */
export interface ValueAge {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly createdAt: number;
  readonly inactiveAt: number | null;
}

const COLUMNS = "id, namespace, name, version, data_key AS dataKey, ciphertext";

/** Versions of values in D1. Rows are written once; only their data key, and whether they are in use, changes. */
export class ValueStore {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** The highest version there is, or 0. */
  async lastVersion(namespace: string, name: string): Promise<number> {
    const row = await this.#database
      .prepare("SELECT max(version) AS version FROM secret_values WHERE namespace = ?1 AND name = ?2")
      .bind(namespace, name)
      .first<{ version: number | null }>();
    return row?.version ?? 0;
  }

  /** Adds a version. `false` if there is one of that number, or its data key has gone. */
  async insert(value: StoredValue): Promise<boolean> {
    const { meta } = await this.#database
      .prepare(
        `INSERT INTO secret_values (id, namespace, name, version, data_key, ciphertext, created_at)
         SELECT ?1, ?2, ?3, ?4, id, ?6, ?7 FROM secret_data_keys WHERE id = ?5
         ON CONFLICT DO NOTHING`,
      )
      .bind(value.id, value.namespace, value.name, value.version, value.dataKey, value.ciphertext, this.#clock())
      .run();
    return meta.changes > 0;
  }

  async get(id: string): Promise<StoredValue | undefined> {
    const statement = this.#database.prepare(`SELECT ${COLUMNS} FROM secret_values WHERE id = ?1`).bind(id);
    return (await statement.first<StoredValue>()) ?? undefined;
  }

  /** Forgets a version that no object ever named. */
  async discard(id: string): Promise<void> {
    await repeatable(this.#database).prepare("DELETE FROM secret_values WHERE id = ?1").bind(id).run();
  }

  /** Notes that of all versions only `current` is in use; none if it is absent. */
  async activate(namespace: string, name: string, current: string | undefined): Promise<void> {
    await repeatable(this.#database)
      .prepare(
        `UPDATE secret_values SET inactive_at = CASE WHEN id = ?3 THEN NULL ELSE coalesce(inactive_at, ?4) END
         WHERE namespace = ?1 AND name = ?2`,
      )
      .bind(namespace, name, current ?? "", this.#clock())
      .run();
  }

  /** Values under a retired data key, by id, those after `after`. */
  async underRetired(namespace: string | undefined, after: string, limit: number): Promise<StoredValue[]> {
    const { results } = await this.#database
      .prepare(
        `SELECT ${COLUMNS} FROM secret_values WHERE id > ?1 AND data_key IN (
           SELECT id FROM secret_data_keys WHERE retired_at IS NOT NULL AND (?2 IS NULL OR namespace = ?2))
         ORDER BY id LIMIT ?3`,
      )
      .bind(after, namespace ?? null, limit)
      .all<StoredValue>();
    return results;
  }

  /** How many values of a namespace are under a retired data key. */
  async countUnderRetired(namespace: string): Promise<number> {
    const row = await this.#database
      .prepare(
        `SELECT count(*) AS total FROM secret_values WHERE data_key IN (
           SELECT id FROM secret_data_keys WHERE retired_at IS NOT NULL AND namespace = ?1)`,
      )
      .bind(namespace)
      .first<{ total: number }>();
    return row?.total ?? 0;
  }

  /** Stores the same value under another data key, unless someone else did. */
  async reencrypt(before: StoredValue, dataKey: string, ciphertext: string): Promise<void> {
    await repeatable(this.#database)
      .prepare("UPDATE secret_values SET data_key = ?3, ciphertext = ?4 WHERE id = ?1 AND data_key = ?2")
      .bind(before.id, before.dataKey, dataKey, ciphertext)
      .run();
  }

  /** All versions by id, those after `after`. */
  async ages(after: string, limit: number): Promise<ValueAge[]> {
    const { results } = await this.#database
      .prepare(
        `SELECT id, namespace, name, created_at AS createdAt, inactive_at AS inactiveAt FROM secret_values
         WHERE id > ?1 ORDER BY id LIMIT ?2`,
      )
      .bind(after, limit)
      .all<ValueAge>();
    return results;
  }

  /** Marks rows as in use or not, and deletes those that have long not been. */
  async sweep(change: {
    readonly active: readonly string[];
    readonly inactive: readonly string[];
    readonly dead: readonly string[];
  }): Promise<void> {
    const ids = "(SELECT value FROM json_each(?1))";
    await this.#database.batch([
      this.#database
        .prepare(`UPDATE secret_values SET inactive_at = NULL WHERE id IN ${ids}`)
        .bind(JSON.stringify(change.active)),
      this.#database
        .prepare(`UPDATE secret_values SET inactive_at = ?2 WHERE id IN ${ids} AND inactive_at IS NULL`)
        .bind(JSON.stringify(change.inactive), this.#clock()),
      this.#database
        .prepare(`DELETE FROM secret_values WHERE id IN ${ids} AND inactive_at IS NOT NULL`)
        .bind(JSON.stringify(change.dead)),
    ]);
  }
}
