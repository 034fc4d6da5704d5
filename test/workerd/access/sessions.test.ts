import { beforeEach, describe, expect, it } from "vitest";
import { pruneSessions, sessionAuthenticator, Sessions, SessionStore } from "../../../src/access/session/index.ts";
import { bindings } from "../bindings.ts";

const LIFETIME = 60_000;
const ALICE = { identity: "alice", credential: "1" };
const database = bindings.DB;
const time = { now: 0 };
const store = new SessionStore(database);
const sessions = new Sessions({ store, clock: () => time.now, lifetime: LIFETIME });

beforeEach(() => {
  time.now = Date.now();
});

async function generation(): Promise<number | null> {
  return database.prepare("SELECT generation FROM access_generation").first<number>("generation");
}

async function rows(): Promise<string> {
  const { results } = await database.prepare("SELECT * FROM access_sessions").all();
  return JSON.stringify(results);
}

describe("a session", () => {
  it("is found by its secret until it ends", async () => {
    const { secret, ...session } = await sessions.start(ALICE);
    expect(secret).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(session).toEqual({ ...ALICE, id: session.id, issuer: undefined, expiresAt: time.now + LIFETIME });
    expect(await sessions.find(secret)).toEqual(session);
    time.now += LIFETIME - 1;
    expect(await sessions.find(secret)).toEqual(session);
    time.now += 1;
    expect(await sessions.find(secret)).toBeUndefined();
  });

  it("remembers by whom someone signed in", async () => {
    const { secret } = await sessions.start({ ...ALICE, issuer: "corp" });
    expect(await sessions.find(secret)).toMatchObject({ identity: "alice", issuer: "corp" });
  });

  it("has a secret of its own each time, which is not stored", async () => {
    const [one, two] = [await sessions.start(ALICE), await sessions.start(ALICE)];
    expect(one.secret).not.toBe(two.secret);
    expect(one.id).not.toBe(two.id);
    expect(await rows()).not.toContain(one.secret);
    expect(await rows()).toContain(one.id);
  });

  it("is not found by anything else", async () => {
    const { id, secret } = await sessions.start(ALICE);
    for (const wrong of ["", id, secret.slice(1), `${secret}A`, `${secret}=`, secret.toLowerCase(), "A".repeat(43)]) {
      expect(await sessions.find(wrong)).toBeUndefined();
    }
  });

  it("is gone at once when it is ended, and other isolates are told", async () => {
    const [one, two] = [await sessions.start(ALICE), await sessions.start(ALICE)];
    const before = await generation();
    await sessions.end(one.id);
    expect(await generation()).toBe((before ?? 0) + 1);
    expect(await sessions.find(one.secret)).toBeUndefined();
    expect(await sessions.find(two.secret)).toMatchObject({ id: two.id });
  });
});

describe("pruneSessions", () => {
  it("forgets those that ended, so many at a time", async () => {
    await database.prepare("DELETE FROM access_sessions").run();
    for (let index = 0; index < 3; index += 1) await sessions.start(ALICE);
    time.now += LIFETIME + 1;
    const { secret } = await sessions.start(ALICE);
    expect(await pruneSessions(database, time.now, 2)).toBe(2);
    expect(await pruneSessions(database, time.now, 2)).toBe(1);
    expect(await pruneSessions(database, time.now, 2)).toBe(0);
    expect(await sessions.find(secret)).toBeDefined();
  });
});

describe("sessionAuthenticator", () => {
  const standing = { good: true };
  const authenticator = sessionAuthenticator({
    sessions,
    stands: async () => standing.good,
    isForged: async (request) => request.method !== "GET",
  });
  const get = new Request("https://registry/");

  it("proves who it is, and nothing of what they may do", async () => {
    const { secret, id, expiresAt } = await sessions.start({ ...ALICE, identity: "admin" });
    expect(await authenticator.authenticate({ scheme: "session", cookie: secret }, get)).toEqual({
      ok: true,
      value: { name: "admin", groups: [], credential: { type: "session", id }, expiresAt },
    });
  });

  it("says who vouched for the user", async () => {
    const { secret } = await sessions.start({ ...ALICE, issuer: "corp" });
    expect(await authenticator.authenticate({ scheme: "session", cookie: secret }, get)).toMatchObject({
      value: { name: "alice", issuer: "corp" },
    });
  });

  it("refuses a request that another site may have made", async () => {
    const { secret } = await sessions.start(ALICE);
    const post = new Request("https://registry/", { method: "POST" });
    expect(await authenticator.authenticate({ scheme: "session", cookie: secret }, post)).toEqual({
      ok: false,
      error: { reason: "forged" },
    });
  });

  it("refuses a session whose credential is good no more", async () => {
    const { secret } = await sessions.start(ALICE);
    standing.good = false;
    const refused = await authenticator.authenticate({ scheme: "session", cookie: secret }, get);
    standing.good = true;
    expect(refused).toMatchObject({ ok: false, error: { reason: "unauthenticated" } });
    expect(await authenticator.authenticate({ scheme: "session", cookie: secret }, get)).toMatchObject({ ok: true });
  });

  it("refuses an unknown session, and leaves other credentials alone", async () => {
    expect(await authenticator.authenticate({ scheme: "session", cookie: "A".repeat(43) }, get)).toMatchObject({
      ok: false,
      error: { reason: "unauthenticated" },
    });
    expect(await authenticator.authenticate({ scheme: "bearer", token: "A".repeat(43) }, get)).toBeUndefined();
  });
});
