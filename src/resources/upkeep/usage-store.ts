import { type Database, repeatable } from "../../platform/index.ts";

/** Numbers by name, such as `resources.secret.entrepot.dev.securevalues.count`. */
export type UsageNumbers = Readonly<Record<string, number>>;

/** The name of the kept statistics among the instance's values. */
const NAME = "usage-statistics";

interface Usage {
  /** Milliseconds since the Unix epoch. */
  readonly collectedAt: number;
  readonly numbers: UsageNumbers;
}

/** The last usage statistics that were collected. */
export class UsageStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async save(usage: Usage): Promise<void> {
    await repeatable(this.#database)
      .prepare("INSERT INTO instance (name, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value")
      .bind(NAME, JSON.stringify(usage))
      .run();
  }

  async load(): Promise<Usage | undefined> {
    const row = await this.#database
      .prepare("SELECT value FROM instance WHERE name = ?1")
      .bind(NAME)
      .first<{ value: string }>();
    return row === null ? undefined : (JSON.parse(row.value) as Usage);
  }
}
