import { readdirSync, rmSync, statSync } from "node:fs";
import path from "node:path";

/** A session's file is kept this long after the session must have ended, in milliseconds. */
const MARGIN_MS = 24 * 60 * 60 * 1000;

/**
 * Removes the files of upload sessions that ended long ago. A session empties its storage when it ends, but the
 * runtime keeps a small file for every Durable Object there ever was; a busy registry makes one for each pushed layer.
 *
 * @param lifetime how long a session lives at most, in milliseconds
 */
export function removeSpentUploads(data: string, lifetime: number, now: number): number {
  const folder = path.join(data, "state", "do", "entrepot-UploadSession");
  let removed = 0;
  for (const name of list(folder)) {
    const id = /^[0-9a-f]{64}(?=\.sqlite)/.exec(name);
    const file = path.join(folder, name);
    if (id === null || statSync(file).mtimeMs > now - lifetime - MARGIN_MS) continue;
    rmSync(file, { force: true });
    removed += 1;
  }
  return removed;
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
