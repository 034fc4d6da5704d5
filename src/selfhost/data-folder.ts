import { chmodSync, mkdirSync, readdirSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";

/** A data folder that another server has. The message is one line. */
export class FolderInUseError extends Error {
  override readonly name = "FolderInUseError";
}

/** SQLite's code for a file that another connection has locked. @see SQLITE_BUSY */
const BUSY = 5;

/** What the process makes from now on is for its user alone, and so is what workerd makes, which inherits it. */
const PRIVATE_UMASK = 0o077;

/**
 * Makes the folder for the server's user alone, with everything in it: keys and hashes are there. Below its own folders
 * nobody else gets anywhere, so that what they hold need not be gone through.
 */
function keepPrivate(folder: string): void {
  process.umask(PRIVATE_UMASK);
  mkdirSync(folder, { recursive: true });
  try {
    chmodSync(folder, 0o700);
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isSymbolicLink()) continue;
      chmodSync(path.join(folder, entry.name), entry.isDirectory() ? 0o700 : 0o600);
    }
  } catch (error) {
    // A volume may have no permissions, or be another user's.
    console.warn(`Warning: DATA_DIR: cannot keep ${folder} from other users: ${String(error)}`);
  }
}

/**
 * Takes the data folder for this process, and answers the function that gives it back. Two servers on one folder would
 * not know of each other's writes. The lock is one that the operating system keeps, by way of SQLite: it goes with the
 * process, however that ends.
 * @throws {FolderInUseError} while another server has it
 */
export function takeDataFolder(folder: string): () => void {
  keepPrivate(folder);
  const lock = new DatabaseSync(path.join(folder, "lock"), { timeout: 0 });
  try {
    lock.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    if (error instanceof Error && "errcode" in error && error.errcode === BUSY) {
      throw new FolderInUseError(`DATA_DIR: ${folder} is in use by another server`);
    }
    throw error;
  }
  return () => lock.close();
}
