import { describe, expect, it } from "vitest";
import { digestBytes } from "../../src/oci/index.ts";
import { bindings } from "./bindings.ts";

declare global {
  interface ImportMeta {
    /** Vite's: the files' texts by path, at once. */
    glob(pattern: string, options: { query: "?raw"; import: "default"; eager: true }): Record<string, string>;
  }
}

const files = import.meta.glob("../../migrations/*.sql", { query: "?raw", import: "default", eager: true });
const pages = import.meta.glob("../../docs/schema.md", { query: "?raw", import: "default", eager: true });
const migrations = Object.entries(files)
  .map(([path, sql]) => ({ name: path.slice(path.lastIndexOf("/") + 1), sql }))
  .sort((a, b) => (a.name < b.name ? -1 : 1));

/** Migrations that installations may have applied: they never change. A new one is added here when it lands. */
const LANDED: Readonly<Record<string, string>> = {
  "0001_content.sql": "sha256:615fd7b0649746faf9d866428543850176365a9016e966b4c7aec1549d88eef1",
  "0002_resources.sql": "sha256:49d221005c6b6447e2c91000e8d588c7bbb5f2c5cd850bf0ed3f2989f7ffea5e",
  "0003_secrets.sql": "sha256:b769b388cf4dafc8cc7135e78c2ba356066ada5e90bed105af623de8bfc4d2ab",
};

describe("migrations", () => {
  it("are numbered without a gap", () => {
    expect(migrations.map(({ name }) => name.slice(0, 5))).toEqual(
      migrations.map((_, index) => `${String(index + 1).padStart(4, "0")}_`),
    );
    for (const { name } of migrations) expect(name).toMatch(/^\d{4}_[a-z0-9_]+\.sql$/);
  });

  it.each(Object.keys(LANDED))("that landed are as they landed: %s", (name) => {
    const sql = migrations.find((migration) => migration.name === name)?.sql ?? "";
    expect(digestBytes("sha256", new TextEncoder().encode(sql))).toBe(LANDED[name]);
  });

  it("are all applied, in order", async () => {
    const { results } = await bindings.DB.prepare("SELECT name FROM d1_migrations ORDER BY id").all<{ name: string }>();
    expect(results.map(({ name }) => name)).toEqual(migrations.map(({ name }) => name));
  });

  it("make tables that docs/schema.md explains", () => {
    const page = Object.values(pages)[0] ?? "";
    const tables = migrations.flatMap(({ sql }) =>
      Array.from(sql.matchAll(/CREATE (?:VIRTUAL )?TABLE (?:IF NOT EXISTS )?(\w+)/gi), ([, table = ""]) => table),
    );
    expect(tables).toContain("repositories");
    expect(tables.filter((table) => !page.includes(`\`${table}\``))).toEqual([]);
  });
});
