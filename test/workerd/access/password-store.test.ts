import { beforeEach, describe, expect, it } from "vitest";
import { configuredCheck } from "../../../src/access/configured-store.ts";
import { PasswordHasher } from "../../../src/access/password-hash.ts";
import { PasswordStore } from "../../../src/access/password-store.ts";
import { bindings } from "../bindings.ts";

const { DB } = bindings;
const time = { now: 1_000_000 };
const store = new PasswordStore(DB, () => time.now);

async function generation(): Promise<number> {
  const row = await DB.prepare("SELECT generation FROM access_generation").first<{ generation: number }>();
  return row?.generation ?? 0;
}

async function signIn(identity: string): Promise<void> {
  const id = crypto.randomUUID();
  await DB.batch([
    DB.prepare(
      "INSERT INTO access_sessions (id, hash, identity, credential, created_at, expires_at) VALUES (?1, ?1, ?2, '1', 1, 9e15)",
    ).bind(id, identity),
    DB.prepare(
      "INSERT INTO access_refresh_tokens (id, hash, identity, credential_type, service, client_id, created_at, expires_at) " +
        "VALUES (?1, ?1, ?2, 'password', 'entrepot', 'docker', 1, 9e15)",
    ).bind(id, identity),
  ]);
}

async function signedIn(): Promise<string[]> {
  const { results } = await DB.prepare(
    "SELECT identity FROM access_sessions UNION ALL SELECT identity FROM access_refresh_tokens ORDER BY identity",
  ).all<{ identity: string }>();
  return results.map(({ identity }) => identity);
}

beforeEach(async () => {
  const tables = ["access_passwords", "access_keys", "access_sessions", "access_refresh_tokens"];
  await DB.batch(tables.map((table) => DB.prepare(`DELETE FROM ${table}`)));
});

describe("a password", () => {
  it("is there after it was set, is replaced, and is gone after it was deleted", async () => {
    expect(await store.get("alice")).toBeUndefined();
    await store.set("alice", "one");
    expect(await store.get("alice")).toEqual({ hash: "one", changedAt: 1_000_000 });
    time.now += 5;
    await store.set("alice", "two");
    expect(await store.get("alice")).toEqual({ hash: "two", changedAt: 1_000_005 });
    expect(await store.get("Alice")).toBeUndefined();
    expect([await store.delete("alice"), await store.delete("alice")]).toEqual([true, false]);
    expect(await store.get("alice")).toBeUndefined();
  });

  it.each([
    ["set", () => store.set("alice", "new")],
    ["deleted", () => store.delete("alice")],
  ])("that is %s ends what its user was signed in to, and tells all isolates", async (_what, change) => {
    await Promise.all([signIn("alice"), signIn("alice2")]);
    const before = await generation();
    await change();
    expect(await signedIn()).toEqual(["alice2", "alice2"]);
    expect(await generation()).toBe(before + 1);
  });

  it("is hashed anew only if it was not changed meanwhile, and nobody is signed out", async () => {
    await store.set("alice", "one");
    await signIn("alice");
    const before = await generation();
    await store.rehash("alice", "one", "one, costlier");
    await store.rehash("alice", "one", "one, too late");
    expect(await store.get("alice")).toMatchObject({ hash: "one, costlier" });
    expect([await signedIn(), await generation()]).toEqual([["alice", "alice"], before]);
  });
});

describe("a server is configured", () => {
  const directory = { issuers: async () => [] };
  const issuer = { name: "ci", issuer: "https://ci.example", audiences: ["a"], rules: [] };

  it("by the settings, an issuer, a password or a key", async () => {
    const configured = configuredCheck(false, DB, directory);
    expect(await configured()).toBe(false);
    expect(await configuredCheck(true, DB, directory)()).toBe(true);
    expect(await configuredCheck(false, DB, { issuers: async () => [issuer] })()).toBe(true);
    await store.set("alice", "one");
    expect(await configured()).toBe(true);
    await store.delete("alice");
    expect(await configured()).toBe(false);
    await DB.prepare(
      "INSERT INTO access_keys (id, identity, name, hash, created_at, created_by) VALUES ('k', 'alice', 'k', 'h', 1, 'alice')",
    ).run();
    expect(await configured()).toBe(true);
  });
});

it("the default cost works in this runtime", async () => {
  const hasher = new PasswordHasher();
  const stored = await hasher.hash("correct horse");
  expect(stored).toMatch(/^\$scrypt\$ln=14,r=8,p=5\$/);
  expect(await hasher.verify("correct horse", stored)).toEqual({ genuine: true, outdated: false });
  expect(await hasher.verify("wrong horse", stored)).toEqual({ genuine: false, outdated: false });
});
