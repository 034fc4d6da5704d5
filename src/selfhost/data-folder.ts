import { mkdirSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ConfigError } from "../platform/config.ts";

/** SQLite's code for a file that another connection has locked. @see SQLITE_BUSY */
const BUSY = 5;

/**
 * Takes the data folder for this process, and answers the function that gives it back. Two servers on one folder would
 * not know of each other's writes. The lock is one that the operating system keeps, by way of SQLite: it goes with the
 * process, however that ends.
 * @throws {ConfigError} while another server has it
 */
export function takeDataFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true });
  const lock = new DatabaseSync(path.join(folder, "lock"), { timeout: 0 });
  try {
    lock.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    if (error instanceof Error && "errcode" in error && error.errcode === BUSY) {
      throw new ConfigError(`DATA_DIR: ${folder} is in use by another server`);
    }
    throw error;
  }
  return () => lock.close();
}
