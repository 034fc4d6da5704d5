import type { Database } from "../../platform/index.ts";

/** What has a number in the REST API. */
export type NumberedKind = "registry" | "task" | "channel";

/** An object that has a number. */
export interface Numbered {
  readonly namespace: string;
  readonly name: string;
}

/** Numbers by which the REST API calls registries, tasks and channels. A number is never given twice. */
export class IdStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The numbers of objects, in their order; who has none gets one. */
  async idsOf(kind: NumberedKind, objects: readonly Numbered[]): Promise<readonly number[]> {
    if (objects.length === 0) return [];
    const rows = JSON.stringify(objects.map(({ namespace, name }) => [namespace, name]));
    const [, found] = await this.#database.batch<{ position: number; id: number }>([
      this.#database
        .prepare(
          `INSERT INTO sync_ids (kind, namespace, name)
           SELECT ?1, json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?2) AS object
           WHERE NOT EXISTS (SELECT 1 FROM sync_ids WHERE kind = ?1 AND namespace = json_extract(object.value, '$[0]')
             AND name = json_extract(object.value, '$[1]')) ORDER BY object.key
           ON CONFLICT DO NOTHING`,
        )
        .bind(kind, rows),
      this.#database
        .prepare(
          `SELECT object.key AS position, sync_ids.id AS id FROM json_each(?2) AS object
           JOIN sync_ids ON kind = ?1 AND namespace = json_extract(object.value, '$[0]')
             AND name = json_extract(object.value, '$[1]') ORDER BY object.key`,
        )
        .bind(kind, rows),
    ]);
    return (found?.results ?? []).map(({ id }) => id);
  }

  async idOf(kind: NumberedKind, object: Numbered): Promise<number> {
    const [id] = await this.idsOf(kind, [object]);
    if (id === undefined) throw new Error("an object was given no number");
    return id;
  }

  /** The object that a number is of. It need not be there any more. */
  async find(kind: NumberedKind, id: number): Promise<Numbered | undefined> {
    const row = await this.#database
      .prepare("SELECT namespace, name FROM sync_ids WHERE kind = ?1 AND id = ?2")
      .bind(kind, id)
      .first<Numbered>();
    return row ?? undefined;
  }

  /** Forgets the number of an object that is gone, so that a later one of its name gets another. */
  async remove(kind: NumberedKind, { namespace, name }: Numbered): Promise<void> {
    await this.#database
      .prepare("DELETE FROM sync_ids WHERE kind = ?1 AND namespace = ?2 AND name = ?3")
      .bind(kind, namespace, name)
      .run();
  }
}
