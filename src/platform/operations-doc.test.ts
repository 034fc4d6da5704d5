import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { settingsSchema } from "./config.ts";

const PAGE = "docs/operations.md";
const START = "<!-- settings: checked by src/platform/operations-doc.test.ts -->";
const END = "<!-- end of settings -->";

test(`${PAGE} lists every setting with its default and its description`, () => {
  const page = readFileSync(path.join(import.meta.dirname, "../..", PAGE), "utf8");
  const expected = settingsTable();
  expect(between(page, START, END), `${PAGE}: between the two markers belongs\n\n${expected}\n\n`).toBe(expected);
});

/** The table of all settings, in the order of the schema. */
function settingsTable(): string {
  const rows = Object.entries(settingsSchema.shape).map(([name, schema]) => {
    const standard = schema.parse(undefined);
    const cells = [
      `\`${name}\``,
      standard === undefined ? "none" : `\`${String(standard)}\``,
      (schema.description ?? "").replaceAll("|", "\\|"),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return ["| Name | Default | Meaning |", "|---|---|---|", ...rows].join("\n");
}

/** The text between two markers, without the blank space around it. */
function between(text: string, start: string, end: string): string {
  return text.split(start)[1]?.split(end)[0]?.trim() ?? "";
}
