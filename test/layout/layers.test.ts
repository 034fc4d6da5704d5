import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** A wrong import: the file it stands in, what it imports, and the rule that must see it. */
const PLANTED: readonly (readonly [file: string, imported: string, rule: string])[] = [
  ["platform/a.ts", "../oci/index.ts", "platform-uses-what-is-below"],
  ["oci/a.ts", "../content/index.ts", "oci-uses-what-is-below"],
  ["access/a.ts", "../resources/index.ts", "access-uses-what-is-below"],
  ["http/a.ts", "../resources/index.ts", "http-uses-what-is-below"],
  ["content/a.ts", "../resources/index.ts", "content-uses-what-is-below"],
  ["mirror/a.ts", "../access/index.ts", "mirror-uses-what-is-below"],
  ["secrets/a.ts", "../datasources/index.ts", "secrets-uses-what-is-below"],
  ["iam/a.ts", "../datasources/index.ts", "iam-uses-what-is-below"],
  ["resources/a.ts", "../sync/index.ts", "resources-uses-what-is-below"],
  ["sync/a.ts", "../distribution/index.ts", "sync-uses-what-is-below"],
  ["operations/a.ts", "../selfhost/index.ts", "operations-uses-what-is-below"],
  ["sync/b.ts", "../content/tags.ts", "front-door"],
  ["app.ts", "./content/tags.ts", "front-door-from-the-root"],
  ["content/b.ts", "../worker.ts", "nobody-uses-the-root"],
  ["content/c.ts", "node:fs", "the-worker-has-no-node-modules"],
  ["content/d.ts", "wrangler", "the-worker-has-no-node-tools"],
  ["content/e.ts", "./blob.fixture.ts", "tests-import-fixtures"],
  ["wharf/a.ts", "../platform/index.ts", "every-folder-is-in-the-table"],
];

/** What the wrong imports lead to, all of it in order. */
const AROUND: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      "platform",
      "oci",
      "access",
      "http",
      "content",
      "resources",
      "mirror",
      "secrets",
      "datasources",
      "sync",
      "distribution",
    ].map((folder) => [`${folder}/index.ts`, "export const door = 1;"]),
  ),
  "selfhost/index.ts": "export const door = 1;",
  "content/tags.ts": "export const door = 1;",
  "content/blob.fixture.ts": "export const door = 1;",
  "content/about.ts": 'export * from "./round.ts";',
  "content/round.ts": 'export * from "./about.ts";',
  "worker.ts": "export const door = 1;",
};

interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string };
}

describe("wrong imports that were planted", () => {
  let folder: string;
  let found: readonly Violation[];

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), "entrepot-layers-"));
    for (const file of [".dependency-cruiser.cjs", "tsconfig.json"])
      cpSync(path.join(ROOT, file), path.join(folder, file));
    symlinkSync(path.join(ROOT, "node_modules"), path.join(folder, "node_modules"));
    const write = (file: string, text: string) => {
      mkdirSync(path.dirname(path.join(folder, "src", file)), { recursive: true });
      writeFileSync(path.join(folder, "src", file), text);
    };
    for (const [file, text] of Object.entries(AROUND)) write(file, text);
    for (const [file, imported] of PLANTED) write(file, `export * from "${imported}";\n`);
    write("content/lonely.ts", "export const nobody = 1;");
    const cruise = path.join(ROOT, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs");
    const arguments_ = [cruise, "--config", ".dependency-cruiser.cjs", "--output-type", "json", "src"];
    const { stdout, stderr } = spawnSync(process.execPath, arguments_, { cwd: folder, encoding: "utf8" });
    if (stdout === "") throw new Error(stderr);
    found = (JSON.parse(stdout) as { summary: { violations: Violation[] } }).summary.violations;
  }, 180_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(PLANTED)("src/%s imports %s: %s", (file, _, rule) => {
    const rules = found.filter(({ from }) => from === `src/${file}`).map((violation) => violation.rule.name);
    expect(rules).toContain(rule);
  });

  it("and two files that import each other", () => {
    const rules = found.filter(({ from }) => /(?:round|about)/.test(from)).map(({ rule }) => rule.name);
    expect(rules).toContain("no-cycles");
  });

  it("and a file that nobody imports", () => {
    expect(found).toContainEqual(
      expect.objectContaining({ from: "src/content/lonely.ts", rule: expect.objectContaining({ name: "no-orphans" }) }),
    );
  });
});

describe("what no import shows", () => {
  const sources = readdirSync(path.join(ROOT, "src"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !/\.(?:test|fixture)\.ts$/.test(file))
    .map((file) => ({ file, text: readFileSync(path.join(ROOT, "src", file), "utf8") }));
  const filesWith = (pattern: RegExp) => sources.filter(({ text }) => pattern.test(text)).map(({ file }) => file);

  it("SQL is in stores, and in what makes clauses for them", () => {
    const others = filesWith(
      /\.prepare\(\s*[`"]|\b(?:SELECT .+ FROM|INSERT (?:OR \w+ )?INTO|DELETE FROM|UPDATE \w+ SET)\b/,
    );
    expect(others.filter((file) => !/-(?:store|sql)\.ts$/.test(file))).toEqual(["selfhost/migrate.ts"]);
  });

  it("the bindings are read in the root only", () => {
    const readers = filesWith(/import (?:type )?\{[^}]*\bEnv\b[^}]*\} from/);
    expect(readers.filter((file) => file.includes("/") && file !== "platform/index.ts")).toEqual([]);
  });
});
