import type { Database } from "../platform/index.ts";

/**
 * A statement for the batch that changes passwords, keys or sessions: what other isolates remember of them is void
 * from now on (`Directory.generation`).
 */
export function bumpGeneration(database: Database): D1PreparedStatement {
  return database.prepare("UPDATE access_generation SET generation = generation + 1 WHERE id = 1");
}
