import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { removeLeftovers } from "./leftovers.ts";

const HOUR = 60 * 60 * 1000;

/** Makes a folder of files that were last changed so many hours before `now`. */
function fill(folder: string, now: number, files: Readonly<Record<string, number>>): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, hours] of Object.entries(files)) {
    const changed = new Date(now - hours * HOUR);
    writeFileSync(path.join(folder, name), "");
    utimesSync(path.join(folder, name), changed, changed);
  }
}

test("removes what uploads left that ended more than a day ago, and nothing else", () => {
  const data = mkdtempSync(path.join(tmpdir(), "entrepot-leftovers-"));
  const sessions = path.join(data, "state", "do", "entrepot-UploadSession");
  const blobs = path.join(data, "content", "blobs", "ab");
  const now = Date.now();
  const [old, young] = ["a".repeat(64), "b".repeat(64)];
  fill(sessions, now, {
    [`${old}.sqlite`]: 50,
    [`${old}.sqlite-wal`]: 50,
    [`${young}.sqlite`]: 40,
    "metadata.sqlite": 500,
  });
  fill(blobs, now, { ".01-x.tmp": 50, ".02-x.tmp": 1, "0194-blob": 500 });
  expect(removeLeftovers(data, 24 * HOUR, now)).toBe(3);
  expect(readdirSync(sessions).sort()).toEqual([`${young}.sqlite`, "metadata.sqlite"]);
  expect(readdirSync(blobs).sort()).toEqual([".02-x.tmp", "0194-blob"]);
  rmSync(data, { recursive: true });
});

test("a folder that does not exist yet has nothing to remove", () => {
  expect(removeLeftovers(path.join(tmpdir(), "entrepot-no-such-folder"), 0, Date.now())).toBe(0);
});
