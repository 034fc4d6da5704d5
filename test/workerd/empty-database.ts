import { applyD1Migrations, type D1Migration, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";

const { DB, TEST_MIGRATIONS } = env as unknown as { readonly DB: D1Database; readonly TEST_MIGRATIONS: D1Migration[] };

/** How often to try. */
const TRIES = 10;

// Each file of tests begins with nothing stored, in a Worker that other files have used. A reset leaves a database as it is
// that is still at work for the file before.
for (let tried = 1; ; tried += 1) {
  await reset();
  const tables = await DB.prepare("SELECT name FROM sqlite_master WHERE name = 'resources'").all();
  if (tables.results.length === 0) break;
  if (tried === TRIES) throw new Error("the database of an earlier file of tests is still there");
  await scheduler.wait(500);
}
await applyD1Migrations(DB, TEST_MIGRATIONS);
