import type { Database } from "../platform/index.ts";

/** The size of the database, in bytes: every answer of D1 tells it. */
export async function databaseSize(database: Database): Promise<number> {
  const { meta } = await database.prepare("SELECT 1").run();
  return meta.size_after;
}
