import { type Database, repeatable } from "../platform/index.ts";
import { type AuditDraft, type AuditRecord, columnsOf } from "./audit-record.ts";

/** Which rows; what is absent does not matter. */
export interface AuditQuery {
  readonly identity?: string;
  readonly verb?: string;
  readonly group?: string;
  readonly resource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly allowed?: boolean;
  readonly reason?: string;
  /** Milliseconds since the Unix epoch: from `since` on, before `until`. */
  readonly since?: number;
  readonly until?: number;
  /** Only rows with a lower id. */
  readonly before?: number;
  readonly limit: number;
}

/** The newest first. */
export interface AuditPage {
  readonly items: readonly AuditRecord[];
  /** `before` of the next page; absent if there is none. A page may be short, or empty, and still not be the last. */
  readonly next?: number;
}

/** A place in the chain: a sealed row. */
export interface ChainLink {
  readonly id: number;
  readonly hash: string;
}

/** Names among the instance's values: the newest sealed row, and the newest one that was deleted for its age. */
const HEAD = "audit-head";
const ANCHOR = "audit-anchor";

/** Rows that are looked at for one page, if no index finds them. */
const MAX_SCANNED = 100_000;
/** No row is written this long after what it tells of, in milliseconds. */
const MAX_DELAY = 3_600_000;

const COLUMNS = `id, occurred_at AS occurredAt, request_id AS requestId, identity, credential_type AS credentialType,
  credential_id AS credentialId, address, user_agent AS userAgent, verb, api_group AS "group", resource, subresource,
  namespace, name, allowed, reason, status, hash`;

type Row = Omit<AuditRecord, "allowed"> & { readonly allowed: 0 | 1 };

/** The audit in D1. */
export class AuditStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Writes rows, in their order, as one change; those that are there already, by a try before this, are not written again. */
  async append(drafts: readonly AuditDraft[]): Promise<void> {
    if (drafts.length === 0) return;
    const values = Array.from({ length: 16 }, (_, index) => `json_extract(value, '$[${index}]')`).join(", ");
    await repeatable(this.#database)
      .prepare(
        `INSERT INTO audit_events (occurred_at, request_id, identity, credential_type, credential_id, address, user_agent,
           verb, api_group, resource, subresource, namespace, name, allowed, reason, status)
         SELECT ${values} FROM json_each(?1) WHERE NOT EXISTS (
           SELECT 1 FROM audit_events e
           WHERE e.occurred_at = json_extract(value, '$[0]') AND e.request_id = json_extract(value, '$[1]')
           AND e.verb = json_extract(value, '$[7]') AND e.api_group = json_extract(value, '$[8]')
           AND e.resource = json_extract(value, '$[9]') AND e.subresource = json_extract(value, '$[10]')
           AND e.namespace = json_extract(value, '$[11]') AND e.name = json_extract(value, '$[12]')
           AND e.reason = json_extract(value, '$[14]') AND e.status = json_extract(value, '$[15]'))
         ORDER BY key`,
      )
      .bind(JSON.stringify(drafts.map(columnsOf)))
      .run();
  }

  async get(id: number): Promise<AuditRecord | undefined> {
    const row = await this.#database.prepare(`SELECT ${COLUMNS} FROM audit_events WHERE id = ?1`).bind(id).first<Row>();
    return row === null ? undefined : recordOf(row);
  }

  /** 0 if there is nothing. */
  async newestId(): Promise<number> {
    const row = await this.#database.prepare("SELECT max(id) AS id FROM audit_events").first<{ id: number | null }>();
    return row?.id ?? 0;
  }

  async list(query: AuditQuery): Promise<AuditPage> {
    const range = await this.#range(query);
    if (range === undefined) return { items: [] };
    const { from, before } = range;
    // Ids have no gaps, so that a range of ids bounds the work.
    const floor = isIndexed(query) ? from : Math.max(from, before - MAX_SCANNED);
    const { sql, values } = conditions(query);
    const { results } = await this.#database
      .prepare(`SELECT ${COLUMNS} FROM audit_events WHERE id >= ?1 AND id < ?2${sql} ORDER BY id DESC LIMIT ?3`)
      .bind(floor, before, query.limit + 1, ...values)
      .all<Row>();
    const items = results.slice(0, query.limit).map(recordOf);
    const last = items.at(-1);
    if (results.length > query.limit && last !== undefined) return { items, next: last.id };
    return floor > from ? { items, next: floor } : { items };
  }

  /** The ids that rows of the asked time can have; `undefined` if there are none. */
  async #range({ since, until, before }: AuditQuery): Promise<{ from: number; before: number } | undefined> {
    const found = await this.#database
      .prepare(
        `SELECT (SELECT min(id) FROM audit_events) AS oldest, (SELECT max(id) FROM audit_events) AS newest,
           (SELECT id FROM audit_events WHERE occurred_at < ?1 ORDER BY occurred_at DESC, id DESC LIMIT 1) AS earlier,
           (SELECT id FROM audit_events WHERE occurred_at >= ?2 ORDER BY occurred_at, id LIMIT 1) AS later`,
      )
      .bind(since === undefined ? null : since - MAX_DELAY, until === undefined ? null : until + MAX_DELAY)
      .first<{ oldest: number | null; newest: number | null; earlier: number | null; later: number | null }>();
    if (found === null || found.oldest === null || found.newest === null) return undefined;
    const from = Math.max(found.oldest, (found.earlier ?? 0) + 1);
    const end = Math.min(found.newest + 1, found.later ?? Infinity, before ?? Infinity);
    return from < end ? { from, before: end } : undefined;
  }

  /** The oldest rows that are not sealed, and the newest sealed one; as of one moment. */
  async unsealed(
    limit: number,
  ): Promise<{ readonly rows: readonly AuditRecord[]; readonly head: ChainLink | undefined }> {
    const [rows, head] = await this.#database.batch<Row & { value: string }>([
      this.#database.prepare(`SELECT ${COLUMNS} FROM audit_events WHERE hash IS NULL ORDER BY id LIMIT ?1`).bind(limit),
      this.#instanceValue(HEAD),
    ]);
    return { rows: (rows?.results ?? []).map(recordOf), head: linkOf(head?.results[0]) };
  }

  /** Seals rows that are not, and moves the head to the last of them unless it is further on. */
  async seal(links: readonly ChainLink[]): Promise<void> {
    const last = links.at(-1);
    if (last === undefined) return;
    await this.#database.batch([
      this.#database
        .prepare(
          `UPDATE audit_events SET hash = json_extract(link.value, '$[1]') FROM json_each(?1) AS link
           WHERE audit_events.id = json_extract(link.value, '$[0]') AND audit_events.hash IS NULL`,
        )
        .bind(JSON.stringify(links.map(({ id, hash }) => [id, hash]))),
      this.#database
        .prepare(
          `INSERT INTO instance (name, value) VALUES (?1, json_object('id', ?2, 'hash', ?3))
           ON CONFLICT DO UPDATE SET value = excluded.value
           WHERE json_extract(instance.value, '$.id') < json_extract(excluded.value, '$.id')`,
        )
        .bind(HEAD, last.id, last.hash),
    ]);
  }

  /**
   * Deletes sealed rows from before `time` (milliseconds) from the oldest end, at most `limit`, and keeps where the chain
   * begins now. Answers how many.
   */
  async prune(time: number, limit: number): Promise<number> {
    const cut = await this.#database
      .prepare(
        // Ids have no gaps: they count the rows. The look for the first row that is kept ends there.
        `WITH bound (id) AS (SELECT min(id) + ?2 FROM audit_events)
         SELECT max(id) AS id FROM audit_events WHERE id < coalesce(
           (SELECT id FROM audit_events WHERE id < (SELECT id FROM bound) AND (+occurred_at >= ?1 OR hash IS NULL)
            ORDER BY id LIMIT 1),
           (SELECT id FROM bound))`,
      )
      .bind(time, limit)
      .first<number>("id");
    if (cut === null) return 0;
    const [, deleted] = await this.#database.batch([
      this.#database
        .prepare(
          `INSERT INTO instance (name, value)
           SELECT ?1, json_object('id', id, 'hash', hash) FROM audit_events WHERE id = ?2
           ON CONFLICT DO UPDATE SET value = excluded.value`,
        )
        .bind(ANCHOR, cut),
      this.#database.prepare("DELETE FROM audit_events WHERE id <= ?1").bind(cut),
    ]);
    return deleted?.meta.changes ?? 0;
  }

  /** Rows after an id, with the two ends of the chain; as of one moment. */
  async pageAfter(
    id: number,
    limit: number,
  ): Promise<{
    readonly rows: readonly AuditRecord[];
    readonly head: ChainLink | undefined;
    readonly anchor: ChainLink | undefined;
  }> {
    const [rows, head, anchor] = await this.#database.batch<Row & { value: string }>([
      this.#database.prepare(`SELECT ${COLUMNS} FROM audit_events WHERE id > ?1 ORDER BY id LIMIT ?2`).bind(id, limit),
      this.#instanceValue(HEAD),
      this.#instanceValue(ANCHOR),
    ]);
    return {
      rows: (rows?.results ?? []).map(recordOf),
      head: linkOf(head?.results[0]),
      anchor: linkOf(anchor?.results[0]),
    };
  }

  #instanceValue(name: string): D1PreparedStatement {
    return this.#database.prepare("SELECT value FROM instance WHERE name = ?1").bind(name);
  }
}

function recordOf(row: Row): AuditRecord {
  return { ...row, allowed: row.allowed === 1 };
}

function linkOf(row: { readonly value: string } | undefined): ChainLink | undefined {
  return row === undefined ? undefined : (JSON.parse(row.value) as ChainLink);
}

/** Columns that are compared with a text. */
const TEXTS = {
  identity: "identity",
  verb: "verb",
  group: "api_group",
  resource: "resource",
  namespace: "namespace",
  name: "name",
  reason: "reason",
} as const satisfies Partial<Record<keyof AuditQuery, string>>;

/** Conditions for `AND`, with parameters from the fourth on. A `+` keeps the database from an index that is not in order of ids. */
function conditions(query: AuditQuery): { readonly sql: string; readonly values: readonly (string | number)[] } {
  const values: (string | number)[] = [];
  let sql = "";
  const add = (condition: string, value: string | number): void => {
    values.push(value);
    sql += ` AND ${condition} ?${values.length + 3}`;
  };
  for (const [field, column] of Object.entries(TEXTS) as [keyof typeof TEXTS, string][]) {
    const value = query[field];
    if (value !== undefined) add(`${field === "identity" || isIndexed(query) ? "" : "+"}${column} =`, value);
  }
  if (query.since !== undefined) add("+occurred_at >=", query.since);
  if (query.until !== undefined) add("+occurred_at <", query.until);
  // A partial index wants to read the number.
  if (query.allowed !== undefined) sql += ` AND allowed = ${query.allowed ? 1 : 0}`;
  return { sql, values };
}

/** Whether an index finds the rows in their order, with nothing else to be looked at. */
function isIndexed(query: AuditQuery): boolean {
  const asked = new Set(Object.keys(query).filter((key) => query[key as keyof AuditQuery] !== undefined));
  for (const field of ["limit", "before", "since", "until"]) asked.delete(field);
  const fields = [...asked].toSorted().join(" ");
  return (
    fields === "" ||
    fields === "identity" ||
    (fields === "allowed" && query.allowed === false) ||
    ["name namespace resource", "group name namespace resource"].includes(fields)
  );
}
