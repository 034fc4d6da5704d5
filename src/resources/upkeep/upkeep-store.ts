import type { Database } from "../../platform/index.ts";
import type { KindKey } from "../client.ts";

/** The namespaces of one table one after the other, each found by the index rather than by reading all rows of it. */
const placesIn = (table: string) => `
  SELECT (SELECT min(namespace) FROM ${table} WHERE namespace > '')
  UNION ALL SELECT (SELECT min(namespace) FROM ${table} WHERE namespace > place) FROM ${table}_places WHERE place IS NOT NULL`;

const IN_USE = `WITH RECURSIVE resources_places (place) AS (${placesIn("resources")}),
  repositories_places (place) AS (${placesIn("repositories")}),
  used (place) AS (SELECT place FROM resources_places WHERE place IS NOT NULL
                   UNION SELECT place FROM repositories_places WHERE place IS NOT NULL)`;

/** The newest change from before a time, which the index has at its end. @param parameter the number of the time */
const lastBefore = (parameter: number) =>
  `SELECT rv FROM resource_events WHERE occurred_at < ?${parameter} ORDER BY occurred_at DESC, rv DESC LIMIT 1`;

/** Among the instance's values: up to where watches cannot resume, and up to where `compact` has looked. */
const FLOOR = "resource-events-floor";
const COMPACTED = "resource-events-compacted";

/** The next changes that `compact` has not looked at: `?2` at the most. @param upTo the last that it may look at */
const changedUpTo = (upTo: string) => `SELECT rv, api_group, resource, namespace, name FROM resource_events
  WHERE rv > CAST(coalesce((SELECT value FROM instance WHERE name = '${COMPACTED}'), '0') AS INTEGER)
  AND rv <= ${upTo} ORDER BY rv LIMIT ?2`;

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
      .prepare(`SELECT api_group AS "group", resource AS plural, total FROM resource_totals`)
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
        `SELECT rv FROM resource_events WHERE api_group = ?1 AND resource = ?2 AND rv <= (${lastBefore(3)}) ${which}
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
    return this.#raise(FLOOR, `(${lastBefore(1)})`, before);
  }

  /** Has a version among the instance's values be at least this one. @param sql of `?1` */
  #raise(name: string, sql: string, value: number): D1PreparedStatement {
    return this.#database
      .prepare(
        `INSERT INTO instance (name, value) VALUES ('${name}', CAST(CAST(coalesce(${sql}, 0) AS INTEGER) AS TEXT))
         ON CONFLICT DO UPDATE SET value = excluded.value
         WHERE CAST(excluded.value AS INTEGER) > CAST(instance.value AS INTEGER)`,
      )
      .bind(value);
  }

  /**
   * Forgets changes from before `before` (milliseconds), but keeps the last `versions` of each object as its history,
   * and what the first change after `before` changed: whoever watches with a selector has to know what was before.
   * Watches can resume no earlier than from the newest change before `before`.
   *
   * It goes by what was written since it went last: only objects that were changed have more versions than before. A step
   * looks at the objects of `limit` changes at the most.
   * @returns how many went, and whether there is more to look at
   */
  async compact(
    before: number,
    versions: number,
    limit: number,
  ): Promise<{ readonly forgotten: number; readonly more: boolean }> {
    const found = await this.#database
      .prepare(
        `SELECT max(rv) AS last, count(*) AS total, (${lastBefore(1)}) AS upTo
         FROM (${changedUpTo(`(${lastBefore(1)})`)})`,
      )
      .bind(before, limit)
      .first<{ last: number | null; total: number; upTo: number | null }>();
    if (found === null || found.last === null || found.upTo === null) return { forgotten: 0, more: false };
    const { last, total, upTo } = found;
    const [, deleted] = await this.#database.batch([
      this.#raise(FLOOR, "?1", upTo),
      this.#database
        .prepare(
          `DELETE FROM resource_events WHERE rv IN (
             SELECT rv FROM (
               SELECT e.rv, row_number() OVER later AS age, lag(e.rv) OVER later AS followed_by
               FROM (SELECT DISTINCT api_group, resource, namespace, name FROM (${changedUpTo("?1")})) AS changed
               CROSS JOIN resource_events e ON e.api_group = changed.api_group AND e.resource = changed.resource
                 AND e.namespace = changed.namespace AND e.name = changed.name
               WINDOW later AS (PARTITION BY e.api_group, e.resource, e.namespace, e.name ORDER BY e.rv DESC))
             WHERE age > ?3 AND followed_by <= ?1)`,
        )
        .bind(upTo, limit, versions),
      this.#raise(COMPACTED, "?1", last),
    ]);
    return { forgotten: deleted?.meta.changes ?? 0, more: total === limit };
  }
}
