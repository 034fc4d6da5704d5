import { expect, test } from "vitest";
import { databaseUsageNumbers } from "./usage.ts";

function sized(bytes: number, isLimited: boolean) {
  const warnings: unknown[] = [];
  const numbers = databaseUsageNumbers(bytes, isLimited, { warn: (event, fields) => warnings.push([event, fields]) });
  return { numbers, warnings };
}

test("the size of the database is a number, and a warning from 80 % of the limit on", () => {
  expect(sized(7_999_999_999, true)).toEqual({ numbers: { "database.bytes": 7_999_999_999 }, warnings: [] });
  expect(sized(8_000_000_000, true)).toEqual({
    numbers: { "database.bytes": 8_000_000_000 },
    warnings: [["database.nearly-full", { bytes: 8_000_000_000, limit: 10_000_000_000 }]],
  });
});

test("a database without a limit is never full", () => {
  expect(sized(9_000_000_000, false)).toEqual({ numbers: { "database.bytes": 9_000_000_000 }, warnings: [] });
});
