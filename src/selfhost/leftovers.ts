import { readdirSync, rmSync, statSync } from "node:fs";
import path from "node:path";

/** Leftovers of an upload are kept this long after it must have ended, in milliseconds. */
const MARGIN_MS = 24 * 60 * 60 * 1000;

/** A Durable Object's database, with the files that SQLite keeps beside it. */
const SESSION_FILE = /^[0-9a-f]{64}\.sqlite/;

/** What the disk service writes until a file is whole. */
const UNFINISHED_FILE = /^\..+\.tmp$/;

/**
 * Removes what uploads leave on the disk and the Worker cannot see: the runtime keeps a small file for every Durable
 * Object there ever was, and a write that is killed leaves a hidden one. Answers how many files went.
 *
 * @param lifetime how long an upload may take, in milliseconds
 */
export function removeLeftovers(data: string, lifetime: number, now: number): number {
  const before = now - lifetime - MARGIN_MS;
  let removed = removeOld(path.join(data, "state", "do", "entrepot-UploadSession"), SESSION_FILE, before);
  const blobs = path.join(data, "content", "blobs");
  for (const folder of list(blobs)) removed += removeOld(path.join(blobs, folder), UNFINISHED_FILE, before);
  return removed;
}

function removeOld(folder: string, pattern: RegExp, before: number): number {
  const old = list(folder).filter((name) => pattern.test(name) && statSync(path.join(folder, name)).mtimeMs <= before);
  for (const name of old) rmSync(path.join(folder, name), { force: true });
  return old.length;
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
