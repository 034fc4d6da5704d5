import { ConfigError } from "../platform/index.ts";
import { compare, getRounds } from "bcryptjs";

/** Costliest entry that is accepted: each step doubles the time, and 14 takes seconds. */
const MAX_ROUNDS = 14;

/** Users of a file as `htpasswd -B` writes it. */
export interface Htpasswd {
  has(user: string): boolean;
  /** Cost of the costliest entry: each step doubles the work. */
  readonly rounds: number;
  /** Whether it is the user's password. bcrypt looks at the first 72 bytes. */
  verify(user: string, password: string): Promise<boolean>;
  /** The user's entry, by which a change of it shows. */
  entry(user: string): string | undefined;
}

/**
 * Parses lines `user:hash`; empty ones and those that begin with `#` are left out. Only bcrypt is accepted, as
 * Distribution does: the other formats are quick to guess.
 * @throws {ConfigError} naming the line and the user of the first entry that cannot be used
 */
export function parseHtpasswd(text: string): Htpasswd {
  const entries = new Map<string, string>();
  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) {
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const [user, entry] = parseLine(trimmed, index + 1);
    if (entries.has(user)) throw problem(index + 1, `user "${user}" is there twice`);
    entries.set(user, entry);
  }
  const rounds = Math.max(4, ...[...entries.values()].map((entry) => getRounds(entry)));
  return {
    rounds,
    has: (user) => entries.has(user),
    entry: (user) => entries.get(user),
    async verify(user, password) {
      const entry = entries.get(user);
      return entry !== undefined && compare(password, entry);
    },
  };
}

function parseLine(line: string, number: number): readonly [user: string, entry: string] {
  const colon = line.indexOf(":");
  if (colon <= 0) throw problem(number, "expected user:hash");
  const user = line.slice(0, colon);
  if (/\p{Cc}/u.test(user)) throw problem(number, "a user name with control characters");
  const entry = line.slice(colon + 1);
  if (!/^\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53}$/.test(entry))
    throw problem(number, `the entry of user "${user}" is not bcrypt; write it with \`htpasswd -B\``);
  const rounds = getRounds(entry);
  if (rounds < 4 || rounds > MAX_ROUNDS)
    throw problem(number, `the entry of user "${user}" has cost ${rounds}; from 4 to ${MAX_ROUNDS} can be used`);
  return [user, entry];
}

function problem(line: number, message: string): ConfigError {
  return new ConfigError(`HTPASSWD: line ${line}: ${message}`);
}
