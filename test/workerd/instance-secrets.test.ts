import { describe, expect, it } from "vitest";
import { InstanceStore } from "../../src/platform/index.ts";
import { MasterKeys } from "../../src/secrets/keys/master-keys.ts";
import { bindings } from "./bindings.ts";

const FIRST = `first:${"A".repeat(43)}=`;
const SECOND = `second:${"B".repeat(42)}A=`;
const storeOf = (keys?: string) =>
  new InstanceStore(bindings.DB, keys === undefined ? undefined : new MasterKeys(keys));
const valueOf = async (name: string) =>
  String(await bindings.DB.prepare("SELECT value FROM instance WHERE name = ?1").bind(name).first("value"));
const text = (bytes: Uint8Array) => bytes.toBase64();

describe("a secret of the installation", () => {
  it("is made once, and is not in the database as it is where there is a key outside of it", async () => {
    const secrets = await Promise.all(Array.from({ length: 5 }, () => storeOf(FIRST).secret("made")));
    expect(new Set(secrets.map(text)).size).toBe(1);
    expect(secrets[0]?.byteLength).toBe(32);
    const value = await valueOf("made");
    expect(JSON.parse(value)).toMatchObject({ masterKey: "first" });
    expect(value).not.toContain(text(secrets[0] ?? new Uint8Array()));
  });

  it("is kept as it is without one, and encrypted where it is, once there is one", async () => {
    const secret = await storeOf().secret("plain");
    expect(await valueOf("plain")).toBe(text(secret));
    const found = await Promise.all([storeOf(FIRST).secret("plain"), storeOf(FIRST).secret("plain")]);
    expect(found.map(text)).toEqual([text(secret), text(secret)]);
    expect(JSON.parse(await valueOf("plain"))).toMatchObject({ masterKey: "first" });
  });

  it("is encrypted under the key in use when that is another", async () => {
    const secret = await storeOf(FIRST).secret("rotated");
    expect(text(await storeOf(`${SECOND},${FIRST}`).secret("rotated"))).toBe(text(secret));
    expect(JSON.parse(await valueOf("rotated"))).toMatchObject({ masterKey: "second" });
    expect(text(await storeOf(SECOND).secret("rotated"))).toBe(text(secret));
  });

  it("is another one when no key opens it, the same for everyone", async () => {
    const lost = await storeOf(FIRST).secret("lost");
    const found = await Promise.all(Array.from({ length: 5 }, () => storeOf(SECOND).secret("lost")));
    expect(new Set(found.map(text)).size).toBe(1);
    expect(found.map(text)).not.toContain(text(lost));
  });

  it("opens under its own name only", async () => {
    await storeOf(FIRST).secret("one");
    const value = await valueOf("one");
    await bindings.DB.prepare("INSERT INTO instance (name, value) VALUES ('other', ?1)").bind(value).run();
    await storeOf(FIRST).secret("other");
    expect(await valueOf("other")).not.toBe(value);
  });
});
