import { type Clock, type Database, repeatable } from "../platform/index.ts";

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

const COLUMNS = "id, namespace, name, version, data_key AS dataKey, ciphertext";

/** The id of the version that the SecureValue of a row names. */
const NAMED = `(SELECT substr(json_extract(object, '$.metadata.annotations."secret.entrepot.dev/current"'), -36)
  FROM resources WHERE api_group = 'secret.entrepot.dev' AND resource = 'securevalues'
  AND resources.namespace = secret_values.namespace AND resources.name = secret_values.name)`;

/**
 * Versions of values in D1. Rows are written once; only their data key changes, and whether they are in use: triggers of
 * `resources` see to that, in the very write by which an object names another version.
 */
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

  /** Adds a version, which is in use as soon as an object names it. `false` if there is one of that number, or its data key has gone. */
  async insert(value: StoredValue): Promise<boolean> {
    const { meta } = await this.#database
      .prepare(
        `INSERT INTO secret_values (id, namespace, name, version, data_key, ciphertext, created_at, inactive_at)
         SELECT ?1, ?2, ?3, ?4, id, ?6, ?7, ?7 FROM secret_data_keys WHERE id = ?5
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

  /** Values under a retired data key, by key and id, those after `after`. */
  async underRetired(
    namespace: string | undefined,
    after: Pick<StoredValue, "dataKey" | "id"> | undefined,
    limit: number,
  ): Promise<StoredValue[]> {
    const { results } = await this.#database
      .prepare(
        // From keys to values, whatever the database thinks of their numbers: few keys are retired.
        `SELECT v.id, v.namespace, name, version, data_key AS dataKey, ciphertext
         FROM secret_data_keys k INDEXED BY secret_data_keys_retired CROSS JOIN secret_values v ON v.data_key = k.id
         WHERE k.retired_at IS NOT NULL AND k.id >= ?1 AND (k.id > ?1 OR v.id > ?2) AND (?3 IS NULL OR k.namespace = ?3)
         ORDER BY k.id, v.id LIMIT ?4`,
      )
      .bind(after?.dataKey ?? "", after?.id ?? "", namespace ?? null, limit)
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

  /** Deletes versions that no object has named since before `before` (milliseconds), `limit` at the most. Answers how many. */
  async collect(before: number, limit: number): Promise<number> {
    const { meta } = await repeatable(this.#database)
      .prepare(
        `DELETE FROM secret_values WHERE id IN (
           SELECT id FROM secret_values WHERE inactive_at < ?1 AND id IS NOT ${NAMED} ORDER BY inactive_at LIMIT ?2)`,
      )
      .bind(before, limit)
      .run();
    return meta.changes;
  }
}
