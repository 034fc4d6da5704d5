import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { type FieldRequirement, matchesFields } from "./field-selector.ts";
import { type LabelRequirement, matchesLabels, parseLabelSelector } from "./label-selector.ts";
import { fieldSelectorSql, labelSelectorSql, type SelectorSql } from "./selector-sql.ts";

const OBJECTS: readonly { metadata: Record<string, unknown>; spec?: unknown }[] = [
  { metadata: { name: "none" } },
  { metadata: { name: "empty", labels: {} } },
  { metadata: { name: "gold", labels: { tier: "gold", "example.com/a.b": "x" } } },
  { metadata: { name: "blank", labels: { tier: "" } }, spec: {} },
  { metadata: { name: "nine", labels: { tier: "0009" } } },
  { metadata: { name: "most", labels: { tier: "9223372036854775807" } } },
  { metadata: { name: "too-much", labels: { tier: "9223372036854775808" } } },
  { metadata: { name: "sixty", labels: { tier: "6".repeat(60) } } },
  { metadata: { name: "null", labels: null }, spec: { source: null } },
  { metadata: { name: "text" }, spec: { source: "mirror/nginx" } },
  { metadata: { name: "quoted" }, spec: { source: "a\"b\\c'd,é=☃" } },
  { metadata: { name: "number" }, spec: { source: 3 } },
  { metadata: { name: "number-text" }, spec: { source: "3" } },
  { metadata: { name: "fraction" }, spec: { source: 1e-7 } },
  { metadata: { name: "large" }, spec: { source: 1e21 } },
  { metadata: { name: "true" }, spec: { source: true } },
  { metadata: { name: "true-text" }, spec: { source: "true" } },
  { metadata: { name: "list" }, spec: { source: ["a"] } },
  { metadata: { name: "object" }, spec: { source: { a: 1 } } },
  { metadata: { name: "scalar" }, spec: "source" },
];

const database = new DatabaseSync(":memory:");
database.exec("CREATE TABLE objects (name TEXT, object TEXT)");
const insert = database.prepare("INSERT INTO objects VALUES (?, ?)");
for (const object of OBJECTS) insert.run(String(object.metadata["name"]), JSON.stringify(object));

function found({ sql, parameters }: SelectorSql): unknown[] {
  const statement = database.prepare(`SELECT name FROM objects WHERE ${sql === "" ? "1" : sql} ORDER BY rowid`);
  return statement.all(...parameters).map((row) => row["name"]);
}

const names = (objects: typeof OBJECTS): unknown[] => objects.map(({ metadata }) => metadata["name"]);

describe("labelSelectorSql", () => {
  it.each([
    "",
    "tier",
    "!tier",
    "tier=gold",
    "tier!=gold",
    "tier=",
    "tier in (gold,)",
    "tier notin (gold,silver)",
    "example.com/a.b=x,tier=gold",
    "other!=x",
    "tier>8",
    "tier>9",
    "tier<10",
    "tier > 8, tier < 9223372036854775807",
    "tier>9223372036854775806",
  ])("finds what matchesLabels finds: %s", (text) => {
    const requirements = parseLabelSelector(text);
    const expected = OBJECTS.filter(({ metadata }) =>
      matchesLabels((metadata["labels"] ?? undefined) as Record<string, string> | undefined, requirements),
    );
    expect(found(labelSelectorSql(requirements, "object"))).toEqual(names(expected));
  });

  it("binds any number of values, but not any number of conditions", () => {
    const values = Array.from({ length: 500 }, (_, index) => `v${index}`);
    const many: LabelRequirement = { key: "tier", operator: "in", values: [...values, "gold"] };
    expect(found(labelSelectorSql([many], "objects.object"))).toEqual(["gold"]);
    const conditions = Array.from({ length: 21 }, (_, index) => `l${index}=x`).join(",");
    expect(() => labelSelectorSql(parseLabelSelector(conditions), "object")).toThrow(/too many conditions/);
  });

  it("takes only a name of the code as a column", () => {
    expect(() => labelSelectorSql([], "object; DROP TABLE objects")).toThrow(TypeError);
  });
});

describe("fieldSelectorSql", () => {
  const values = [
    "",
    "3",
    "3.0",
    "true",
    "1",
    "1e-7",
    "1e+21",
    "mirror/nginx",
    "a\"b\\c'd,é=☃",
    "null",
    "source",
    '{"a":1}',
    "' OR 1 --",
  ];
  const requirements = values.flatMap((value): FieldRequirement[] => [
    { path: "spec.source", operator: "=", value },
    { path: "spec.source", operator: "!=", value },
  ]);

  it.each(requirements)("finds what matchesFields finds: $operator $value", (requirement) => {
    const expected = OBJECTS.filter((object) => matchesFields(object, [requirement]));
    expect(found(fieldSelectorSql([requirement], "object"))).toEqual(names(expected));
  });

  it("uses a column of the path's own", () => {
    const requirement: FieldRequirement = { path: "metadata.name", operator: "=", value: "gold" };
    const selector = fieldSelectorSql([requirement], "object", { "metadata.name": "name" });
    expect(selector).toEqual({ sql: "name = ?", parameters: ["gold"] });
    expect(found(selector)).toEqual(["gold"]);
  });

  it("cannot name fields with quotes", () => {
    const requirement: FieldRequirement = { path: 'spec."x', operator: "=", value: "" };
    expect(() => fieldSelectorSql([requirement], "object")).toThrow(/quote/);
  });
});
