import { hashSync } from "bcryptjs";
import { describe, expect, it } from "vitest";
import type { Admission, AttemptSubject } from "../../../src/access/attempt-guard.ts";
import { createHashing, type Hashing } from "../../../src/access/hashing.ts";
import { type Htpasswd, parseHtpasswd } from "../../../src/access/htpasswd.ts";
import { GROUPS } from "../../../src/access/identity.ts";
import { passwordAuthenticator, type PasswordPorts } from "../../../src/access/password-authenticator.ts";
import { type Derive, PasswordHasher } from "../../../src/access/password-hash.ts";

const COST = { ln: 4, r: 1, p: 1 };
const cheap = new PasswordHasher({ cost: COST });
const request = new Request("https://reg.example/v2/");

async function fixture(more: Partial<PasswordPorts> = {}) {
  const state = { now: 0, hashes: 0, bcrypts: 0, admission: { admitted: true } as Admission };
  const sleep = async (duration: number) => void (state.now += Math.max(0, duration));
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
    override verify(password: string, stored: string) {
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
        return state.admission;
      },
      failed: async (subject) => void calls.push(["failed", subject]),
      dropped: async (subject) => void calls.push(["dropped", subject]),
      succeeded: async (subject) => void calls.push(["succeeded", subject]),
    },
    hashing: createHashing({ clock: () => state.now, sleep }),
    address: (from) => from.headers.get("from") ?? undefined,
    clock: () => state.now,
    sleep,
    ...more,
  });
  const login = (username: string, password: string, from = "192.0.2.7") =>
    authenticator.authenticate(
      { scheme: "basic", basic: { username, password } },
      new Request(request, { headers: from === "" ? {} : { from } }),
    );
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

  it("is refused at one time, whoever it is of, and costs no hash for a user that there is not", async () => {
    const outcomes: Record<string, unknown> = {};
    for (const name of ["nobody", "alice", "carol", "admin"]) {
      const { login, state } = await fixture();
      const result = await login(name, "a wrong password");
      outcomes[name] = [result, state.now, state.hashes, state.bcrypts > 0 && name === "carol"];
    }
    const refused = { ok: false, error: { reason: "unauthenticated", detail: "a wrong user name or password" } };
    expect(outcomes).toEqual({
      nobody: [refused, 600, 0, false],
      alice: [refused, 600, 1, false],
      carol: [refused, 600, 0, true],
      admin: [refused, 600, 1, false],
    });
  });

  it("is refused as late as hashes take here, whoever it is of", async () => {
    const slow = async (work: () => Promise<unknown>) => {
      state.now += 1000;
      return { ok: true, value: await work() } as const;
    };
    const { login, state } = await fixture({ hashing: slow as Hashing });
    await login("alice", "a wrong password");
    expect(state.now).toBe(1200);
    await login("nobody", "a wrong password");
    expect(state.now).toBe(2400);
  });

  it("is refused as late as the costliest entry of HTPASSWD takes", async () => {
    const htpasswd = parseHtpasswd(`carol:$2b$14$${"a".repeat(53)}\n`);
    const { login, state } = await fixture({ htpasswd });
    await login("nobody", "a wrong password");
    expect(state.now).toBe(2400);
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
  it("of a right password is done anew an hour after it was used, or when what it is compared with changed", async () => {
    const { login, state, rows, calls } = await fixture();
    await login("alice", "alice's password");
    for (let hour = 0; hour < 3; hour += 1) {
      state.now += 3_599_999;
      expect(await login("alice", "alice's password")).toMatchObject({ ok: true });
    }
    expect([state.hashes, calls.length]).toEqual([1, 2]);
    state.now += 3_600_000;
    await login("alice", "alice's password");
    expect(state.hashes).toBe(2);
    rows.set("alice", await cheap.hash("a new password"));
    expect(await login("alice", "alice's password")).toMatchObject({ ok: false });
    rows.delete("alice");
    expect(await login("alice", "alice's password")).toMatchObject({ ok: false });
  });

  it("of a right password is done for each address: elsewhere it is a guess that counts", async () => {
    const { login, state, calls } = await fixture();
    for (const from of ["192.0.2.7", "192.0.2.8", ""]) await login("alice", "alice's password", from);
    expect([state.hashes, calls.length]).toEqual([3, 6]);
    for (const from of ["192.0.2.7", "192.0.2.8", ""]) await login("alice", "alice's password", from);
    expect([state.hashes, calls.length]).toEqual([3, 6]);
  });

  it("is not done while a name is locked, and what was right from there goes on", async () => {
    const { login, state, calls } = await fixture();
    await login("carol", "carol's password");
    const before = { hashes: state.hashes, bcrypts: state.bcrypts };
    state.admission = { admitted: false, retryAfterSeconds: 30 };
    for (const name of ["alice", "nobody", "admin"]) {
      const result = await login(name, `${name}'s password`);
      expect(result).toEqual({ ok: false, error: { reason: "locked-out", retryAfterSeconds: 30 } });
    }
    expect(await login("carol", "carol's password")).toMatchObject({ ok: true });
    expect(await login("carol", "carol's password", "192.0.2.8")).toMatchObject({ ok: false });
    expect({ hashes: state.hashes, bcrypts: state.bcrypts }).toEqual(before);
    expect(calls.map(([call]) => call)).toEqual(["check", "succeeded", "check", "check", "check", "check"]);
  });

  it("from an address that is locked is done: the right password passes, and all else is answered as a lock", async () => {
    const { login, state } = await fixture();
    state.admission = { admitted: true, lockedFor: 17 };
    expect(await login("alice", "alice's password")).toMatchObject({ ok: true });
    const locked = { ok: false, error: { reason: "locked-out", retryAfterSeconds: 17 } };
    for (const name of ["alice", "nobody"]) expect(await login(name, "a wrong password")).toEqual(locked);
  });

  it("waits while too many others are tried, and not for ever", async () => {
    const { login, state, calls } = await fixture();
    state.admission = { admitted: false, retryAfterSeconds: 0 };
    expect(await login("alice", "alice's password")).toEqual({
      ok: false,
      error: { reason: "busy", retryAfterSeconds: 2 },
    });
    expect([state.hashes, calls.length]).toEqual([0, 50]);
  });

  it("is done once for requests that come together with one right password", async () => {
    const { login, state } = await fixture();
    const proofs = await Promise.all(Array.from({ length: 40 }, () => login("alice", "alice's password")));
    expect(proofs.every((proof) => proof?.ok)).toBe(true);
    expect(state.hashes).toBe(1);
  });

  it("is refused to those for whom there is no room, from one address or in all", async () => {
    const { login, state } = await fixture();
    const proofs = await Promise.all(Array.from({ length: 70 }, (_, index) => login(`nobody-${index}`, "wrong")));
    expect(proofs.filter((proof) => proof?.ok === false && proof.error.reason === "busy")).toHaveLength(6);
    const all = await Promise.all(Array.from({ length: 300 }, (_, index) => login(`no-${index}`, "wrong", "")));
    expect(all.filter((proof) => proof?.ok === false && proof.error.reason === "busy")).toHaveLength(44);
    expect(state.hashes).toBe(0);
  });

  it("that there is no turn for is refused, and counts for nothing", async () => {
    const { login, calls } = await fixture({ hashing: async () => ({ ok: false, error: "busy" }) });
    expect(await login("alice", "a wrong password")).toMatchObject({ ok: false, error: { reason: "busy" } });
    expect(calls.map(([call]) => call)).toEqual(["check", "dropped"]);
  });

  it("is asked for and told to the guard, by account and address", async () => {
    const { login, calls } = await fixture();
    const subject = { name: "alice", isAccount: true, address: "192.0.2.7" };
    await login("alice", "a wrong password");
    await login("alice", "alice's password");
    expect(calls).toEqual(["check", "failed", "check", "succeeded"].map((call) => [call, subject]));
  });

  it("works where addresses are not known", async () => {
    const { login, calls } = await fixture();
    await login("nobody", "a wrong password", "");
    expect(calls).toEqual(["check", "failed"].map((call) => [call, { name: "nobody", isAccount: false }]));
  });
});

it("does not hash what is too long to be a password", async () => {
  const derive: Derive = () => Promise.reject(new Error("hashed"));
  const { login } = await fixture({ hasher: new PasswordHasher({ derive }) });
  expect(await login("alice", "x".repeat(1025))).toMatchObject({ ok: false });
  await expect(login("alice", "x".repeat(1024))).rejects.toThrow("hashed");
});
