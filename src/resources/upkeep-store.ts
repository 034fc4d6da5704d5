import type { Database } from "../platform/index.ts";

/** Statements over all kinds, for the clock and for counting. */
export class UpkeepStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** How many objects each kind has; kinds without one are not named. */
  async counts(): Promise<readonly { readonly group: string; readonly plural: string; readonly total: number }[]> {
    const { results } = await this.#database
      .prepare(
        `SELECT api_group AS "group", resource AS plural, count(*) AS total FROM resources GROUP BY api_group, resource`,
      )
      .all<{ group: string; plural: string; total: number }>();
    return results;
  }

  /** Namespaces that hold an object or a repository, in order. */
  async namespacesInUse(): Promise<string[]> {
    const { results } = await this.#database
      .prepare(
        `SELECT namespace FROM resources WHERE namespace <> '' UNION SELECT namespace FROM repositories ORDER BY namespace`,
      )
      .all<{ namespace: string }>();
    return results.map((row) => row.namespace);
  }

  /**
   * Forgets changes from before `before` (milliseconds), but keeps the last `versions` of each object as its history,
   * and what the first change after `before` changed: whoever watches with a selector has to know what was before.
   * Watches can resume no earlier than from the newest change before `before`. At most `limit` rows go.
   * @returns how many went
   */
  async compact(before: number, versions: number, limit: number): Promise<number> {
    const [, deleted] = await this.#database.batch([
      this.#database
        .prepare(
          `INSERT INTO instance (name, value)
           SELECT 'resource-events-floor', CAST(coalesce(max(rv), 0) AS TEXT) FROM resource_events WHERE occurred_at < ?1
           ON CONFLICT DO UPDATE SET value = excluded.value
           WHERE CAST(excluded.value AS INTEGER) > CAST(instance.value AS INTEGER)`,
        )
        .bind(before),
      this.#database
        .prepare(
          `DELETE FROM resource_events WHERE rv IN (
             SELECT rv FROM (
               SELECT rv, row_number() OVER later AS age, lag(occurred_at) OVER later AS followed_at
               FROM resource_events
               WINDOW later AS (PARTITION BY api_group, resource, namespace, name ORDER BY rv DESC))
             WHERE age > ?2 AND followed_at < ?1 LIMIT ?3)`,
        )
        .bind(before, versions, limit),
    ]);
    return deleted?.meta.changes ?? 0;
  }
}
