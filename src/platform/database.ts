import type { D1Database } from "@cloudflare/workers-types";

/**
 * What a store needs of a database. Stores take this, not a binding, so that a namespace can live in a
 * database of its own and reads can go through a D1 session.
 */
export type Database = Pick<D1Database, "prepare" | "batch">;
