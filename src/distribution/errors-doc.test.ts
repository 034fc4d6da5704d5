import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { ERRORS } from "./errors.ts";

const PAGE = "docs/distribution.md";
const START = "<!-- errors: checked by src/distribution/errors-doc.test.ts -->";
const END = "<!-- end of errors -->";

test(`${PAGE} lists every error code with its status and its message`, () => {
  const page = readFileSync(path.join(import.meta.dirname, "../..", PAGE), "utf8");
  const expected = errorsTable();
  expect(between(page, START, END), `${PAGE}: between the two markers belongs\n\n${expected}\n\n`).toBe(expected);
});

/** The table of all codes, in the order of the code. */
function errorsTable(): string {
  const rows = Object.entries(ERRORS).map(([code, { status, message }]) => `| \`${code}\` | ${status} | ${message} |`);
  return ["| Code | Status | Message |", "|---|---|---|", ...rows].join("\n");
}

/** The text between two markers, without the blank space around it. */
function between(text: string, start: string, end: string): string {
  return text.split(start)[1]?.split(end)[0]?.trim() ?? "";
}
