import { describe, expect, it } from "vitest";
import { apiKeyPrefix, hashApiKey, newApiKey, parseApiKey } from "./api-key.ts";

const KEY = `ent_abcdefgh2345_${"A".repeat(43)}`;

describe("API keys", () => {
  it("are made whole, and each is another", () => {
    const keys = Array.from({ length: 200 }, newApiKey);
    for (const key of keys) expect(parseApiKey(key.text)).toEqual(key);
    expect(new Set(keys.map(({ id }) => id)).size).toBe(200);
    expect(new Set(keys.map(({ text }) => text.slice(17))).size).toBe(200);
  });

  it("are found by their beginning, which tells nothing of the secret", () => {
    const { id, text } = newApiKey();
    expect(text.startsWith(`${apiKeyPrefix(id)}_`)).toBe(true);
  });

  it("are kept as a hash of the whole text", async () => {
    expect(await hashApiKey("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(await hashApiKey(KEY)).not.toBe(await hashApiKey(KEY.replace("ent_a", "ent_b")));
  });

  it.each([
    ["nothing", ""],
    ["the prefix alone", "ent_"],
    ["a key cut short", KEY.slice(0, -1)],
    ["a key with more behind", `${KEY}A`],
    ["a line break behind", `${KEY.slice(0, -1)}\n`],
    ["space before", ` ${KEY.slice(1)}`],
    ["capitals in the id", KEY.replace("abc", "ABC")],
    ["digits that are not in base32", KEY.replace("2345", "0189")],
    ["another prefix", KEY.replace("ent_", "ENT_")],
    ["base64 that is not of addresses", `${KEY.slice(0, -1)}+`],
    ["letters that are not ASCII", `${KEY.slice(0, -1)}é`],
    ["letters that look alike", KEY.replace("a", "а")],
    ["a null byte", `${KEY.slice(0, -1)}\0`],
    ["a huge text", `ent_${"a".repeat(5_000_000)}`],
  ])("are not %s", (_what, text) => {
    expect(parseApiKey(text)).toBeUndefined();
  });
});
