import { mkdirSync, mkdtempSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { removeSpentUploads } from "./spent-uploads.ts";

const HOUR = 60 * 60 * 1000;

test("removes files of sessions that ended more than a day ago, and nothing else", () => {
  const data = mkdtempSync(path.join(tmpdir(), "entrepot-spent-"));
  const folder = path.join(data, "state", "do", "entrepot-UploadSession");
  mkdirSync(folder, { recursive: true });
  const now = Date.now();
  const files: [name: string, hours: number][] = [
    [`${"a".repeat(64)}.sqlite`, 50],
    [`${"a".repeat(64)}.sqlite-wal`, 50],
    [`${"b".repeat(64)}.sqlite`, 40],
    ["metadata.sqlite", 500],
  ];
  for (const [name, hours] of files) {
    writeFileSync(path.join(folder, name), "");
    utimesSync(path.join(folder, name), new Date(now - hours * HOUR), new Date(now - hours * HOUR));
  }
  expect(removeSpentUploads(data, 24 * HOUR, now)).toBe(2);
  expect(readdirSync(folder).sort()).toEqual([`${"b".repeat(64)}.sqlite`, "metadata.sqlite"]);
});

test("a folder that does not exist yet has nothing to remove", () => {
  expect(removeSpentUploads(path.join(tmpdir(), "entrepot-no-such-folder"), 0, Date.now())).toBe(0);
});
