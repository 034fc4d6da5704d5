import { hashSync } from "bcryptjs";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../platform/index.ts";
import { parseHtpasswd } from "./htpasswd.ts";

const entry = hashSync("correct horse", 4);
const as = (prefix: string) => entry.replace(/^\$2[aby]\$/, `$${prefix}$`);

describe("htpasswd", () => {
  it.each(["2a", "2b", "2y"])("takes $%s$", async (prefix) => {
    const users = parseHtpasswd(`# people\r\n\r\nalice:${as(prefix)}\r\nbob:${entry}\n`);
    expect(await users.verify("alice", "correct horse")).toBe(true);
    expect(await users.verify("alice", "wrong horse")).toBe(false);
    expect(await users.verify("nobody", "correct horse")).toBe(false);
    expect([users.has("alice"), users.has("bob"), users.has("Alice")]).toEqual([true, true, false]);
  });

  it.each([
    ["MD5", "alice:$apr1$abcdefgh$0123456789abcdefghijkl", 'the entry of user "alice" is not bcrypt'],
    ["SHA-1", "alice:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", 'the entry of user "alice" is not bcrypt'],
    ["crypt", "alice:rqXexS6ZhobKA", 'the entry of user "alice" is not bcrypt'],
    ["plain text", "alice:secret-word", 'the entry of user "alice" is not bcrypt'],
    ["bcrypt with more behind", `alice:${entry}:x`, 'the entry of user "alice" is not bcrypt'],
    ["the flawed $2x$", `alice:${as("2x")}`, 'the entry of user "alice" is not bcrypt'],
    ["no colon", "alice", "expected user:hash"],
    ["no user", `:${entry}`, "expected user:hash"],
    ["a cost that takes minutes", `alice:${entry.replace("$04$", "$31$")}`, "has cost 31"],
    ["a cost that there is not", `alice:${entry.replace("$04$", "$03$")}`, "has cost 3"],
    ["a user twice", `alice:${entry}\nalice:${entry}`, 'user "alice" is there twice'],
  ])("refuses %s, by line and user, without quoting the entry", (_what, text, message) => {
    const parse = () => parseHtpasswd(`bob:${entry}\n${text}`);
    expect(parse).toThrow(ConfigError);
    expect(parse).toThrow(/^HTPASSWD: line [23]: /);
    expect(parse).toThrow(message);
    expect(parse).not.toThrow(/secret-word|rqXexS6ZhobKA/);
  });

  it("may be empty", async () => {
    expect(await parseHtpasswd("\n").verify("alice", "secret")).toBe(false);
  });
});
