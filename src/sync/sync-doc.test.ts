import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { mirrorTaskShape } from "../mirror/index.ts";
import { registrySpec } from "./kinds/registry.ts";

const PAGE = "docs/sync.md";
const page = readFileSync(path.join(import.meta.dirname, "../..", PAGE), "utf8");

/** As much of a JSON schema as the tables tell. */
interface FieldSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly required?: readonly string[];
  readonly items?: FieldSchema;
}

describe(PAGE, () => {
  it.each([
    ["task", z.object(mirrorTaskShape)],
    ["registry", registrySpec],
  ])("lists every field of a %s with its default and its description", (name, schema) => {
    const start = `<!-- fields of a ${name}: checked by src/sync/sync-doc.test.ts -->`;
    const end = `<!-- end of the fields of a ${name} -->`;
    const expected = fieldTable(schema);
    const found = page.split(start)[1]?.split(end)[0]?.trim() ?? "";
    expect(found, `${PAGE}: between ${start} and ${end} belongs\n\n${expected}\n\n`).toBe(expected);
  });
});

/** The table of all fields, in the order of the schema. */
function fieldTable(schema: z.ZodType): string {
  const root = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as FieldSchema;
  return ["| Field | Default | Meaning |", "|---|---|---|", ...fieldRows(root, "")].join("\n");
}

function fieldRows({ properties = {}, required = [] }: FieldSchema, prefix: string): readonly string[] {
  return Object.entries(properties).flatMap(([name, field]) => {
    const isList = field.items?.properties !== undefined;
    const place = `${prefix}${name}${isList ? "[]" : ""}`;
    const cells = [`\`${place}\``, defaultOf(field, required.includes(name)), meaningOf(field)];
    const row = `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`.replaceAll("|  |", "| |");
    return [row, ...fieldRows(field.items ?? field, `${place}.`)];
  });
}

function defaultOf({ default: standard, properties }: FieldSchema, isRequired: boolean): string {
  if (isRequired) return "required";
  return standard === undefined || properties !== undefined
    ? ""
    : `\`${JSON.stringify(standard).replaceAll('"', "")}\``;
}

function meaningOf({ description = "", enum: values }: FieldSchema): string {
  const unnamed = (values ?? []).filter((value) => !description.includes(`\`${value}\``));
  return unnamed.length === 0
    ? description
    : `${description} One of ${(values ?? []).map((v) => `\`${v}\``).join(", ")}.`;
}
