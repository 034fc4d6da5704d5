import type { Database } from "../../platform/index.ts";
import type { ResourceObject } from "../objects/object.ts";
import { type ObjectKey, type ObjectRow, parseObject } from "./resource-store.ts";

/** An object, and where it is. */
export interface StoredObject {
  readonly key: ObjectKey;
  readonly object: ResourceObject;
}

const OBJECT = `r.api_group AS "group", r.resource AS plural, r.namespace, r.name, r.rv, r.object`;

/** Who belongs to whom, in D1. An owner is known by its uid, whatever its kind. */
export class OwnerStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Objects that name `uid` as an owner, by their own uids: the first `limit` of them after the uid `after`. */
  async dependents(uid: string, limit: number, after = ""): Promise<StoredObject[]> {
    const { results } = await this.#database
      .prepare(
        `SELECT ${OBJECT} FROM resource_owners o JOIN resources r ON r.uid = o.uid
         WHERE o.owner_uid = ?1 AND o.uid > ?2 ORDER BY o.uid LIMIT ?3`,
      )
      .bind(uid, after, limit)
      .all<ObjectKey & ObjectRow>();
    return results.map(stored);
  }

  /** Those among `uids` that exist. */
  async existing(uids: readonly string[]): Promise<Set<string>> {
    if (uids.length === 0) return new Set();
    const { results } = await this.#database
      .prepare("SELECT uid FROM resources WHERE uid IN (SELECT value FROM json_each(?1))")
      .bind(JSON.stringify(uids))
      .all<{ uid: string }>();
    return new Set(results.map((row) => row.uid));
  }

  /** Owners among `uids` that are being deleted and have no dependents left. */
  async bereft(uids: readonly string[]): Promise<StoredObject[]> {
    const { results } = await this.#database
      .prepare(
        `SELECT ${OBJECT} FROM resources r WHERE r.uid IN (SELECT value FROM json_each(?1))
         AND json_extract(r.object, '$.metadata.deletionTimestamp') IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM resource_owners o WHERE o.owner_uid = r.uid)`,
      )
      .bind(JSON.stringify(uids))
      .all<ObjectKey & ObjectRow>();
    return results.map(stored);
  }

  /** Owners that are named and do not exist (any more), in no order: one that cannot be helped must not hide the rest. */
  async missing(limit: number): Promise<string[]> {
    const { results } = await this.#database
      .prepare("SELECT uid FROM resource_owners_gone ORDER BY random() LIMIT ?1")
      .bind(limit)
      .all<{ uid: string }>();
    return results.map((row) => row.uid);
  }

  /** Objects that wait with one of these finalizers to be deleted, in no order. Looks at all that wait. */
  async waiting(finalizers: readonly string[], limit: number): Promise<StoredObject[]> {
    const { results } = await this.#database
      .prepare(
        `SELECT ${OBJECT} FROM resources r
         WHERE json_extract(r.object, '$.metadata.deletionTimestamp') IS NOT NULL
         AND EXISTS (SELECT 1 FROM json_each(r.object, '$.metadata.finalizers') f
                     WHERE f.value IN (SELECT value FROM json_each(?1)))
         ORDER BY random() LIMIT ?2`,
      )
      .bind(JSON.stringify(finalizers), limit)
      .all<ObjectKey & ObjectRow>();
    return results.map(stored);
  }
}

function stored({ group, plural, namespace, name, ...row }: ObjectKey & ObjectRow): StoredObject {
  return { key: { group, plural, namespace, name }, object: parseObject(row) };
}
