import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { D1Database } from "@cloudflare/workers-types";
import { ROOT } from "./paths.ts";

const FOLDER = path.join(ROOT, "migrations");

/** Whether the data folder is known to have every migration. The database cannot be asked before it runs. */
export function hasMigrated(data: string): boolean {
  try {
    return readFileSync(noteOf(data), "utf8") === numbered().at(-1);
  } catch {
    return false;
  }
}

/** Notes that `migrate` has seen to the data folder. */
export function noteMigrated(data: string): void {
  writeFileSync(noteOf(data), numbered().at(-1) ?? "");
}

/** Applies the numbered migrations that the database has not seen, in order, each one whole or not at all. */
export async function migrate(database: D1Database): Promise<void> {
  await database
    .prepare(
      "CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)",
    )
    .run();
  const { results } = await database.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
  const applied = new Set(results.map((row) => row.name));
  const { unstable_splitSqlQuery: splitSqlQuery } = await import("wrangler");
  for (const name of numbered()) {
    if (applied.has(name)) continue;
    const statements = splitSqlQuery(readFileSync(path.join(FOLDER, name), "utf8"));
    await database.batch([
      ...statements.map((statement) => database.prepare(statement)),
      database.prepare("INSERT INTO d1_migrations (name) VALUES (?1)").bind(name),
    ]);
  }
}

function numbered(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith(".sql"))
    .sort();
}

/** The file with the name of the last migration. */
function noteOf(data: string): string {
  return path.join(data, "migrated");
}
