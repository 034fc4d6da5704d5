import { applyD1Migrations, type D1Migration, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";

const { DB, TEST_MIGRATIONS } = env as unknown as { readonly DB: D1Database; readonly TEST_MIGRATIONS: D1Migration[] };

// Each file of tests begins with nothing stored, in a Worker that other files have used.
await reset();
await applyD1Migrations(DB, TEST_MIGRATIONS);
