import { randomBytes } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { ConfigError, parseConfig } from "../platform/config.ts";

/** The file in the data folder. Who has it and the database has every secret; who loses it has none. */
const FILE = "secrets-key";

/**
 * The value of `SECRETS_KEY` that belongs to a data folder, made on first use. Another key may be written in front of
 * it, with a comma between: the first encrypts, all decrypt.
 * @throws {ConfigError} if the file holds something else
 */
export function ownSecretsKey(folder: string): string {
  const file = path.join(folder, FILE);
  const key = read(file) ?? create(file);
  if (!isKey(key)) {
    throw new ConfigError(`SECRETS_KEY: ${file} does not hold a key of 32 bytes in base64, or a list of them`);
  }
  return key;
}

function isKey(text: string): boolean {
  try {
    return parseConfig({ SECRETS_KEY: text }).SECRETS_KEY !== undefined;
  } catch {
    return false;
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** On the disk before it is used: a secret under a key that a power cut took would be lost. */
function create(file: string): string {
  const key = `${new Date().toISOString().slice(0, 10)}:${randomBytes(32).toString("base64")}`;
  writeFileSync(`${file}.new`, `${key}\n`, { mode: 0o600, flush: true });
  renameSync(`${file}.new`, file);
  return key;
}
