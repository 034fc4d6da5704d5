import { hashSync } from "bcryptjs";
import { describe, expect, it } from "vitest";
import type { AttemptSubject } from "../../../src/access/attempt-guard.ts";
import { type Htpasswd, parseHtpasswd } from "../../../src/access/htpasswd.ts";
import { GROUPS } from "../../../src/access/identity.ts";
import { passwordAuthenticator, type PasswordPorts } from "../../../src/access/password-authenticator.ts";
import { type Derive, PasswordHasher } from "../../../src/access/password-hash.ts";

const COST = { ln: 4, r: 1, p: 1 };
const cheap = new PasswordHasher({ cost: COST });
const request = new Request("https://reg.example/v2/");

async function fixture(more: Partial<PasswordPorts> = {}) {
  const state = { now: 0, hashes: 0, bcrypts: 0, wait: undefined as number | undefined };
  const calls: [string, AttemptSubject][] = [];
  const rows = new Map([
    ["alice", await cheap.hash("alice's password")],
    ["admin", await cheap.hash("another password")],
    ["old", await new PasswordHasher({ cost: { ...COST, ln: 3 } }).hash("an old password")],
  ]);
  const listed = parseHtpasswd(`carol:${hashSync("carol's password", 4)}\n`);
  const htpasswd: Htpasswd = {
    ...listed,
    verify(user, password) {
      state.bcrypts += 1;
      return listed.verify(user, password);
    },
  };
  const inner = new PasswordHasher({ cost: COST });
  class Counting extends PasswordHasher {
    override verify(password: string, stored: string | undefined) {
      state.hashes += 1;
      return inner.verify(password, stored);
    }
  }
  const authenticator = passwordAuthenticator({
    adminPassword: "admin's password",
    htpasswd,
    passwords: {
      async get(user) {
        const hash = rows.get(user);
        return hash === undefined ? undefined : { hash, changedAt: 0 };
      },
      async rehash(user, from, to) {
        if (rows.get(user) === from) rows.set(user, to);
      },
    },
    hasher: new Counting({ cost: COST }),
    ids: { admin: async () => "admin-1", listed: (user) => `htpasswd-${user}`, stored: () => "0" },
    guard: {
      async check(subject) {
        calls.push(["check", subject]);
        return state.wait;
      },
      failed: async (subject) => void calls.push(["failed", subject]),
      succeeded: async (subject) => void calls.push(["succeeded", subject]),
    },
    address: () => "192.0.2.7",
    clock: () => state.now,
    ...more,
  });
  const login = (username: string, password: string) =>
    authenticator.authenticate({ scheme: "basic", basic: { username, password } }, request);
  return { login, authenticator, state, calls, rows };
}

describe("a password", () => {
  it.each([
    [
      "admin",
      "admin's password",
      { groups: [GROUPS.masters], vouched: true, credential: { type: "password", id: "admin-1" } },
    ],
    ["admin", "another password", { groups: [], credential: { type: "password", id: "0" } }],
    ["alice", "alice's password", { groups: [], credential: { type: "password", id: "0" } }],
    ["alice", "alice's\u00a0password", { groups: [], credential: { type: "password", id: "0" } }],
    ["carol", "carol's password", { groups: [], credential: { type: "password", id: "htpasswd-carol" } }],
  ])("of %s: %j", async (name, password, more) => {
    const { login } = await fixture();
    const value = { name, ...more };
    expect(await login(name, password)).toEqual({ ok: true, value });
  });

  it.each([
    ["alice", "admin's password"],
    ["Admin", "admin's password"],
    ["admin ", "admin's password"],
    ["admin", "admin's passwor"],
    ["alice", "carol's password"],
    ["carol", "alice's password"],
    ["nobody", "alice's password"],
    ["", "admin's password"],
    ["x".repeat(300), "admin's password"],
    ["alice", "x".repeat(1025)],
  ])("of %j: %j is wrong", async (name, password) => {
    const { login } = await fixture();
    expect(await login(name, password)).toMatchObject({ ok: false, error: { reason: "unauthenticated" } });
  });

  it.each(["ent_abcdefghijkl_secret", "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln"])(
    "that is something else is left to others: %s",
    async (password) => {
      const { login, calls, state } = await fixture();
      expect(await login("alice", password)).toBeUndefined();
      expect([calls, state.hashes]).toEqual([[], 0]);
    },
  );

  it("is all that it looks at", async () => {
    const { authenticator } = await fixture();
    expect(await authenticator.authenticate({ scheme: "bearer", token: "alice's" }, request)).toBeUndefined();
    expect(await authenticator.authenticate({ scheme: "session", cookie: "admin" }, request)).toBeUndefined();
  });

  it("takes the same hashes for a user that there is not as for a wrong password", async () => {
    const counts: unknown[] = [];
    for (const name of ["nobody", "alice", "carol", "admin"]) {
      const { login, state } = await fixture();
      await login(name, "a wrong password");
      counts.push([state.hashes, state.bcrypts]);
    }
    expect(counts).toEqual(Array.from({ length: 4 }, () => [1, 1]));
  });

  it("whose hash is too cheap is hashed anew", async () => {
    const { login, rows } = await fixture();
    const before = rows.get("old");
    await login("old", "a wrong password");
    expect(rows.get("old")).toBe(before);
    expect(await login("old", "an old password")).toMatchObject({ ok: true });
    expect(rows.get("old")).toMatch(/^\$scrypt\$ln=4,/);
    expect(await login("old", "an old password")).toMatchObject({ ok: true });
  });
});

describe("hashing", () => {
  it("of a right password is done once a minute, and anew when what it is compared with changed", async () => {
    const { login, state, rows, calls } = await fixture();
    await login("alice", "alice's password");
    state.now = 59_999;
    await login("alice", "alice's password");
    expect([state.hashes, calls.length]).toEqual([1, 2]);
    state.now = 60_000;
    await login("alice", "alice's password");
    expect(state.hashes).toBe(2);
    rows.set("alice", await cheap.hash("a new password"));
    expect(await login("alice", "alice's password")).toMatchObject({ ok: false });
    rows.delete("alice");
    expect(await login("alice", "alice's password")).toMatchObject({ ok: false });
  });

  it("is not done while locked out, even for the right password", async () => {
    const { login, state, calls } = await fixture();
    state.wait = 30;
    for (const name of ["alice", "nobody", "admin"]) {
      const result = await login(name, `${name}'s password`);
      expect(result).toEqual({ ok: false, error: { reason: "locked-out", retryAfterSeconds: 30 } });
    }
    expect([state.hashes, state.bcrypts]).toEqual([0, 0]);
    expect(calls.map(([call]) => call)).toEqual(["check", "check", "check"]);
  });

  it("waits for its turn, and for as long as it takes another request to find the same password right", async () => {
    const slept: number[] = [];
    const { login, state, calls } = await fixture({ sleep: async (duration) => void slept.push(duration) });
    state.wait = 0;
    expect(await login("alice", "alice's password")).toEqual({
      ok: false,
      error: { reason: "locked-out", retryAfterSeconds: 1 },
    });
    expect([state.hashes, calls.length, slept.length]).toEqual([0, 50, 49]);
    const { login: second, state: world } = await fixture({
      async sleep() {
        world.wait = undefined;
        await second("alice", "alice's password");
      },
    });
    world.wait = 0;
    expect(await second("alice", "alice's password")).toMatchObject({ ok: true });
    expect(world.hashes).toBe(1);
  });

  it("is asked for and told to the guard, by account and address", async () => {
    const { login, calls } = await fixture();
    const subject = { account: "alice", address: "192.0.2.7" };
    await login("alice", "a wrong password");
    await login("alice", "alice's password");
    expect(calls).toEqual(["check", "failed", "check", "succeeded"].map((call) => [call, subject]));
  });

  it("works where addresses are not known", async () => {
    const { login, calls } = await fixture({ address: () => undefined });
    await login("nobody", "a wrong password");
    expect(calls).toEqual(["check", "failed"].map((call) => [call, { account: "nobody" }]));
  });
});

it("does not hash what is too long to be a password", async () => {
  const derive: Derive = () => Promise.reject(new Error("hashed"));
  const { login } = await fixture({ hasher: new PasswordHasher({ derive }) });
  expect(await login("alice", "x".repeat(1025))).toMatchObject({ ok: false });
  await expect(login("alice", "x".repeat(1024))).rejects.toThrow("hashed");
});
