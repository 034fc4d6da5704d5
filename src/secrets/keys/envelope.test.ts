import { describe, expect, it } from "vitest";
import { importKey, KEY_BYTES, open, seal } from "./envelope.ts";
import { MasterKeys } from "./master-keys.ts";

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
const bytes = new TextEncoder().encode("the value");

describe("an envelope", () => {
  it("opens with its key, at its place", async () => {
    const key = await importKey(random(KEY_BYTES));
    const sealed = await seal(key, bytes, "team/name/1");
    expect(await open(key, sealed, "team/name/1")).toEqual(bytes);
    expect(await open(key, sealed, "team/name/2")).toBeUndefined();
    expect(await open(key, sealed, "team/other/1")).toBeUndefined();
    expect(await open(await importKey(random(KEY_BYTES)), sealed, "team/name/1")).toBeUndefined();
  });

  it("is never the same twice", async () => {
    const key = await importKey(random(KEY_BYTES));
    expect(await seal(key, bytes, "place")).not.toBe(await seal(key, bytes, "place"));
  });

  it("does not open once a bit is another, or a part is missing", async () => {
    const key = await importKey(random(KEY_BYTES));
    const sealed = Uint8Array.fromBase64(await seal(key, bytes, "place"));
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = sealed.slice();
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(await open(key, changed.toBase64(), "place")).toBeUndefined();
      expect(await open(key, sealed.slice(0, index).toBase64(), "place")).toBeUndefined();
    }
    expect(await open(key, "not base64!", "place")).toBeUndefined();
  });
});

describe("master keys", () => {
  const text = () => random(KEY_BYTES).toBase64();

  it("wrap with the first, unwrap with any", async () => {
    const [first, second] = [text(), text()];
    const dataKey = random(KEY_BYTES);
    const earlier = await new MasterKeys(`old:${first}`).wrap(dataKey, "team/1");
    expect(earlier.masterKey).toBe("old");
    const both = new MasterKeys(`new:${second},old:${first}`);
    expect(await both.unwrap(earlier, "team/1")).toEqual(dataKey);
    expect(await both.unwrap(earlier, "other/1")).toBeUndefined();
    expect(await both.currentId()).toBe("new");
    expect(await new MasterKeys(`new:${second}`).unwrap(earlier, "team/1")).toBeUndefined();
  });

  it("have names that tell nothing of them, and may be called otherwise later", async () => {
    const key = text();
    const dataKey = random(KEY_BYTES);
    const wrapped = await new MasterKeys(key).wrap(dataKey, "team/1");
    expect(wrapped.masterKey).toMatch(/^key-[0-9a-f]{8}$/);
    expect(await new MasterKeys(`${text()},renamed:${key}`).unwrap(wrapped, "team/1")).toEqual(dataKey);
  });

  it("are asked for by the name of the setting when there are none", async () => {
    await expect(new MasterKeys(undefined).wrap(random(KEY_BYTES), "team/1")).rejects.toMatchObject({
      reason: "ServiceUnavailable",
      code: 503,
      message: expect.stringContaining("SECRETS_KEY") as string,
    });
  });
});
