import { type Clock, type Database, repeatable } from "../../platform/index.ts";
import type { KindKey } from "../client.ts";
import type { ResourceObject } from "../objects/object.ts";
import { selection, type StorePage } from "../selectors/selector-sql.ts";

/** One object. The namespace of cluster-scoped kinds is the empty text. */
export interface ObjectKey extends KindKey {
  readonly namespace: string;
  readonly name: string;
}

/** A change to write. */
export interface ResourceWrite {
  readonly key: ObjectKey;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  /** The object as it will be, or last was; its `resourceVersion` is given by the write. */
  readonly object: ResourceObject;
  /** The version that must be the present one; `undefined`: there must be none. */
  readonly expected: number | undefined;
  /** Forget the change before this one. Whoever watches from before that sees this one alone. */
  readonly supersedes: boolean;
}

/** A change that was written. */
export interface StoredEvent {
  readonly rv: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly namespace: string;
  readonly name: string;
  readonly object: ResourceObject;
  /** The object before the change, if it is still kept. */
  readonly previous: ResourceObject | undefined;
}

/** A part of the change log. */
export interface Changes {
  readonly events: readonly StoredEvent[];
  /** All changes up to this version were among them, or before. */
  readonly upTo: number;
  /** Whether others follow. */
  readonly more: boolean;
  /** Changes up to this version may have been forgotten. */
  readonly floor: number;
}

/** What SQLite says when the guard of `write` finds another version. */
const GUARD_FAILED = "malformed JSON";

/** The newest version given to any change, also when its row is gone. */
const LAST_VERSION = "SELECT seq AS rv FROM sqlite_sequence WHERE name = 'resource_events'";

/**
 * Bytes of objects read from the change log at a time. Each comes with the one before it, and they have to fit into an
 * isolate's memory and a message of a hub.
 */
const CHANGES_BYTES = 4 * 1024 * 1024;

const OF_KIND = "api_group = ?1 AND resource = ?2";
const OF_OBJECT = `${OF_KIND} AND namespace = ?3 AND name = ?4`;

/**
 * Objects and their changes, in D1. Every write is one batch: a guard that the present version is the expected one, the
 * change, the object. Versions are given by the change log, whose order is the order of commits.
 */
export class ResourceStore {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Writes a change and resolves to its version, or to `undefined` if the present version is not the expected one. */
  async write(change: ResourceWrite): Promise<number | undefined> {
    const { key, type, expected } = change;
    const object = JSON.stringify({
      ...change.object,
      metadata: { ...change.object.metadata, resourceVersion: undefined },
    });
    const row = [key.group, key.plural, key.namespace, key.name] as const;
    const now = this.#clock();
    const writeId = crypto.randomUUID();
    try {
      const [, event] = await repeatable(this.#database).batch<{ rv: number }>([
        this.#database
          .prepare(`SELECT CASE WHEN (SELECT rv FROM resources WHERE ${OF_OBJECT}) IS NOT ?5 THEN json('conflict') END`)
          .bind(...row, expected ?? null),
        this.#database
          .prepare(
            `INSERT INTO resource_events
               (api_group, resource, namespace, name, type, object, previous_rv, occurred_at, write_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) RETURNING rv`,
          )
          .bind(...row, type, object, expected ?? null, now, writeId),
        type === "DELETED"
          ? this.#database.prepare(`DELETE FROM resources WHERE ${OF_OBJECT}`).bind(...row)
          : this.#upsert(row, change.object.metadata.uid, object),
        ...(change.supersedes && expected !== undefined
          ? [this.#database.prepare("DELETE FROM resource_events WHERE rv = ?1").bind(expected)]
          : []),
        ...this.#owners(change),
      ]);
      return event?.results[0]?.rv;
    } catch (error) {
      if (!String(error).includes(GUARD_FAILED)) throw error;
      return this.#written(change, writeId);
    }
  }

  /**
   * The version of a change that was written before its batch was repeated, since the answer to the first was lost. It is
   * known by its id alone: two writers who count one up at the same time say the same of the same version.
   */
  async #written({ key, expected }: ResourceWrite, writeId: string): Promise<number | undefined> {
    const found = await this.#database
      .prepare(`SELECT rv FROM resource_events WHERE ${OF_OBJECT} AND rv > ?5 AND write_id = ?6`)
      .bind(key.group, key.plural, key.namespace, key.name, expected ?? 0, writeId)
      .first<number>("rv");
    return found ?? undefined;
  }

  async get(key: ObjectKey): Promise<ResourceObject | undefined> {
    const row = await this.#database
      .prepare(`SELECT rv, object FROM resources WHERE ${OF_OBJECT}`)
      .bind(key.group, key.plural, key.namespace, key.name)
      .first<ObjectRow>();
    return row === null ? undefined : parseObject(row);
  }

  /**
   * A page of objects by namespace and name, the version it is of, and whether more follow; how many there are in all, if
   * there is no selector. One batch.
   * @param page `after` is the last object of the page before
   */
  async list(
    kind: KindKey,
    page: StorePage & { readonly after?: { readonly namespace: string; readonly name: string } },
  ): Promise<{
    readonly items: ResourceObject[];
    readonly rv: number;
    readonly more: boolean;
    readonly total: number | undefined;
  }> {
    const selected = selection(kind, page);
    const { after, limit } = page;
    const where = after === undefined ? selected.sql : `${selected.sql} AND (namespace, name) > (?, ?)`;
    const parameters = [...selected.parameters, ...(after === undefined ? [] : [after.namespace, after.name])];
    const isCounted = page.labels.length === 0 && page.fields.length === 0;
    const [version, rows, count] = await this.#database.batch<ObjectRow & { rv: number; total: number }>([
      this.#database.prepare(LAST_VERSION),
      this.#database
        .prepare(`SELECT rv, object FROM resources WHERE ${where} ORDER BY namespace, name LIMIT ?`)
        .bind(...parameters, limit + 1),
      ...(isCounted
        ? [
            this.#database
              .prepare(
                `SELECT coalesce(sum(total), 0) AS total FROM ${page.namespace === undefined ? "resource_totals" : "resource_counts"}
                 WHERE ${OF_KIND}${page.namespace === undefined ? "" : " AND namespace = ?"}`,
              )
              .bind(kind.group, kind.plural, ...(page.namespace === undefined ? [] : [page.namespace])),
          ]
        : []),
    ]);
    const found = rows?.results ?? [];
    const items = found.slice(0, limit).map(parseObject);
    return {
      items,
      rv: version?.results[0]?.rv ?? 0,
      more: found.length > limit,
      total: count?.results[0]?.total,
    };
  }

  /**
   * Earlier versions of objects (`history`), or deleted objects as they last were (`trash`), newest first.
   * @param page `before` is the last version of the page before
   */
  async past(
    kind: KindKey,
    source: "history" | "trash",
    page: StorePage & { readonly before?: number },
  ): Promise<{ readonly items: ResourceObject[]; readonly rv: number; readonly more: boolean }> {
    const selected = selection(kind, page);
    const { before = Number.MAX_SAFE_INTEGER, limit } = page;
    const which =
      source === "history"
        ? "type <> 'DELETED'"
        : `type = 'DELETED' AND NOT EXISTS (
             SELECT 1 FROM resource_events later WHERE later.api_group = resource_events.api_group
             AND later.resource = resource_events.resource AND later.namespace = resource_events.namespace
             AND later.name = resource_events.name AND later.rv > resource_events.rv)`;
    const [version, rows] = await this.#database.batch<ObjectRow>([
      this.#database.prepare(LAST_VERSION),
      this.#database
        .prepare(
          `SELECT rv, object FROM resource_events WHERE ${selected.sql} AND rv < ? AND ${which} ORDER BY rv DESC LIMIT ?`,
        )
        .bind(...selected.parameters, before, limit + 1),
    ]);
    const found = rows?.results ?? [];
    return {
      items: found.slice(0, limit).map(parseObject),
      rv: version?.results[0]?.rv ?? 0,
      more: found.length > limit,
    };
  }

  /** The object as of one version, deleted or not. */
  async version(key: ObjectKey, rv: number): Promise<ResourceObject | undefined> {
    const row = await this.#database
      .prepare(`SELECT rv, object FROM resource_events WHERE ${OF_OBJECT} AND rv = ?5`)
      .bind(key.group, key.plural, key.namespace, key.name, rv)
      .first<ObjectRow>();
    return row === null ? undefined : parseObject(row);
  }

  /** The newest version of all. */
  async lastVersion(): Promise<number> {
    return (await this.#database.prepare(LAST_VERSION).first<{ rv: number }>())?.rv ?? 0;
  }

  /** Changes after a version, oldest first: `limit` of them at the most, fewer if they are large. One batch. */
  async changes(kind: KindKey, since: number, limit: number): Promise<Changes> {
    const [version, floor, newest, rows] = await this.#database.batch<ChangeRow & { value: string }>([
      this.#database.prepare(LAST_VERSION),
      this.#database.prepare("SELECT value FROM instance WHERE name = 'resource-events-floor'"),
      this.#database
        .prepare(`SELECT coalesce(max(rv), 0) AS rv FROM resource_events WHERE ${OF_KIND}`)
        .bind(kind.group, kind.plural),
      this.#database
        .prepare(
          `SELECT e.rv, e.type, e.namespace, e.name, e.object, e.previous_rv, p.object AS previous
           FROM (SELECT *, sum(octet_length(object)) OVER (ORDER BY rv) - octet_length(object) AS bytes FROM (
                   SELECT * FROM resource_events WHERE ${OF_KIND} AND rv > ?3 ORDER BY rv LIMIT ?4)) e
           LEFT JOIN resource_events p ON p.rv = e.previous_rv
           WHERE e.bytes < ?5 ORDER BY e.rv`,
        )
        .bind(kind.group, kind.plural, since, limit, CHANGES_BYTES),
    ]);
    const events = (rows?.results ?? []).map((row) => ({
      rv: row.rv,
      type: row.type,
      namespace: row.namespace,
      name: row.name,
      object: parseObject(row),
      previous: row.previous === null ? undefined : parseObject({ rv: row.previous_rv, object: row.previous }),
    }));
    const reached = events.at(-1)?.rv ?? since;
    const more = reached < (newest?.results[0]?.rv ?? 0);
    return {
      events,
      upTo: more ? reached : (version?.results[0]?.rv ?? 0),
      more,
      floor: Number(floor?.results[0]?.value ?? 0),
    };
  }

  #upsert(row: readonly [string, string, string, string], uid: string, object: string): D1PreparedStatement {
    return this.#database
      .prepare(
        `INSERT INTO resources (api_group, resource, namespace, name, uid, rv, object)
         VALUES (?1, ?2, ?3, ?4, ?5, (SELECT max(rv) FROM resource_events), ?6)
         ON CONFLICT (api_group, resource, namespace, name)
         DO UPDATE SET uid = excluded.uid, rv = excluded.rv, object = excluded.object`,
      )
      .bind(...row, uid, object);
  }

  /** Rows of `resource_owners`; those of a deleted object go with it. */
  #owners({ type, object }: ResourceWrite): D1PreparedStatement[] {
    const { uid, ownerReferences = [] } = object.metadata;
    if (type === "DELETED" || (type === "ADDED" && ownerReferences.length === 0)) return [];
    const owners = JSON.stringify(ownerReferences.map((owner) => owner.uid));
    return [
      this.#database
        .prepare("DELETE FROM resource_owners WHERE uid = ?1 AND owner_uid NOT IN (SELECT value FROM json_each(?2))")
        .bind(uid, owners),
      this.#database
        .prepare(
          "INSERT INTO resource_owners (owner_uid, uid) SELECT value, ?1 FROM json_each(?2) WHERE true ON CONFLICT DO NOTHING",
        )
        .bind(uid, owners),
    ];
  }
}

/** A row with an object. */
export interface ObjectRow {
  readonly rv: number;
  readonly object: string;
}

interface ChangeRow extends ObjectRow {
  readonly type: StoredEvent["type"];
  readonly namespace: string;
  readonly name: string;
  readonly previous: string | null;
  readonly previous_rv: number;
}

/** The stored text has no `resourceVersion`: the row's version is it. */
export function parseObject({ rv, object }: ObjectRow): ResourceObject {
  const parsed = JSON.parse(object) as ResourceObject;
  return { ...parsed, metadata: { ...parsed.metadata, resourceVersion: String(rv) } };
}
