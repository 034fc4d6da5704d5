import type { Database } from "../platform/index.ts";
import type { KindKey } from "./client.ts";

/** The namespaces of one table one after the other, each found by the index rather than by reading all rows of it. */
const placesIn = (table: string) => `
  SELECT (SELECT min(namespace) FROM ${table} WHERE namespace > '')
  UNION ALL SELECT (SELECT min(namespace) FROM ${table} WHERE namespace > place) FROM ${table}_places WHERE place IS NOT NULL`;

const IN_USE = `WITH RECURSIVE resources_places (place) AS (${placesIn("resources")}),
  repositories_places (place) AS (${placesIn("repositories")}),
  used (place) AS (SELECT place FROM resources_places WHERE place IS NOT NULL
                   UNION SELECT place FROM repositories_places WHERE place IS NOT NULL)`;

const LAST_BEFORE = "SELECT rv FROM resource_events WHERE occurred_at < ?3 ORDER BY occurred_at DESC, rv DESC LIMIT 1";

const IS_IMPLIED = `NOT EXISTS (
  SELECT 1 FROM resources o WHERE o.api_group = '' AND o.resource = 'namespaces' AND o.namespace = '' AND o.name = used.place)`;

/** A kind of which only the latest change of each object is kept. */
export interface PresentKind extends KindKey {
  /** How long an object is kept after its latest change, in milliseconds; as long as nobody deletes it, unless given. */
  readonly lifetime?: number;
}

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
      .prepare(`${IN_USE} SELECT place FROM used ORDER BY place`)
      .all<{ place: string }>();
    return results.map((row) => row.place);
  }

  /** Those of them, and of those that are always there, that nobody created as an object. */
  async impliedNamespaces(always: readonly string[]): Promise<string[]> {
    const { results } = await this.#database
      .prepare(
        `${IN_USE} SELECT place FROM (SELECT place FROM used UNION SELECT value FROM json_each(?1)) used
         WHERE ${IS_IMPLIED} ORDER BY place`,
      )
      .bind(JSON.stringify(always))
      .all<{ place: string }>();
    return results.map((row) => row.place);
  }

  /** Those of the implied ones that hold nothing from before a version: they appeared since. */
  async namespacesSince(rv: number): Promise<string[]> {
    const { results } = await this.#database
      .prepare(
        `${IN_USE} SELECT place FROM used WHERE ${IS_IMPLIED}
         AND NOT EXISTS (SELECT 1 FROM resources r WHERE r.namespace = used.place AND r.rv <= ?1)
         AND NOT EXISTS (
           SELECT 1 FROM repositories p WHERE p.namespace = used.place AND p.created_at <= (
             SELECT occurred_at FROM resource_events WHERE rv <= ?1 ORDER BY rv DESC LIMIT 1))`,
      )
      .bind(rv)
      .all<{ place: string }>();
    return results.map((row) => row.place);
  }

  /**
   * Deletes objects of a kind whose latest change is from before `before` (milliseconds), if they have a lifetime, and
   * forgets the deletions from before it. Their order is that of the changes, which the kind's index has: `limit` rows are
   * looked at, and no others. Watchers are told by the change log.
   * @returns how many rows went, and the version of the last deletion
   */
  async expire(
    { group, plural, lifetime }: PresentKind,
    { before, now, limit }: { readonly before: number; readonly now: number; readonly limit: number },
  ): Promise<{ readonly rows: number; readonly rv: number | undefined }> {
    const which = lifetime === undefined ? "AND type = 'DELETED'" : "";
    const { results } = await this.#database
      .prepare(
        `SELECT rv FROM resource_events WHERE api_group = ?1 AND resource = ?2 AND rv <= (${LAST_BEFORE}) ${which}
         ORDER BY rv LIMIT ?4`,
      )
      .bind(group, plural, before, limit)
      .all<{ rv: number }>();
    if (results.length === 0) return { rows: 0, rv: undefined };
    const rvs = JSON.stringify(results.map(({ rv }) => rv));
    const past = "SELECT value FROM json_each(?1)";
    const [, deleted] = await this.#database.batch<{ rv: number }>([
      this.#raiseFloor(before),
      this.#database
        .prepare(
          `INSERT INTO resource_events (api_group, resource, namespace, name, type, object, occurred_at)
           SELECT api_group, resource, namespace, name, 'DELETED', object, ?2 FROM resources
           WHERE api_group = ?3 AND resource = ?4 AND (namespace, name, rv) IN (
             SELECT namespace, name, rv FROM resource_events WHERE rv IN (${past}) AND type <> 'DELETED')
           RETURNING rv`,
        )
        .bind(rvs, now, group, plural),
      this.#database
        .prepare(
          `DELETE FROM resources WHERE api_group = ?2 AND resource = ?3 AND (namespace, name, rv) IN (
             SELECT namespace, name, rv FROM resource_events WHERE rv IN (${past}) AND type <> 'DELETED')`,
        )
        .bind(rvs, group, plural),
      this.#database.prepare(`DELETE FROM resource_events WHERE rv IN (${past})`).bind(rvs),
    ]);
    return { rows: results.length, rv: deleted?.results.at(-1)?.rv };
  }

  /** Watches can resume no earlier than from the newest change before a time. */
  #raiseFloor(before: number): D1PreparedStatement {
    return this.#database
      .prepare(
        `INSERT INTO instance (name, value)
         SELECT 'resource-events-floor', CAST(coalesce(max(rv), 0) AS TEXT) FROM resource_events WHERE occurred_at < ?1
         ON CONFLICT DO UPDATE SET value = excluded.value
         WHERE CAST(excluded.value AS INTEGER) > CAST(instance.value AS INTEGER)`,
      )
      .bind(before);
  }

  /**
   * Forgets changes from before `before` (milliseconds), but keeps the last `versions` of each object as its history,
   * and what the first change after `before` changed: whoever watches with a selector has to know what was before.
   * Watches can resume no earlier than from the newest change before `before`. At most `limit` rows go.
   * @returns how many went
   */
  async compact(before: number, versions: number, limit: number): Promise<number> {
    const [, deleted] = await this.#database.batch([
      this.#raiseFloor(before),
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
