import { evictDurableObject, listDurableObjectIds, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { accountGuard, attemptGuard, type AttemptSubject } from "../../../src/access/attempt-guard.ts";
import type { Attempts } from "../../../src/access/attempts.ts";
import type { Log } from "../../../src/platform/index.ts";
import { bindings } from "../bindings.ts";
import { quietLog } from "../fixture.ts";

const { LOGIN_GUARDS } = bindings;
const ATTEMPTS = 3;
const HOUR = 3_600_000;
const guard = attemptGuard(LOGIN_GUARDS, ATTEMPTS, quietLog);
const stubOf = (name: string) => LOGIN_GUARDS.get(LOGIN_GUARDS.idFromName(name));

let names = 0;

/** An account, and addresses that no other test uses. */
function fresh() {
  names += 1;
  return {
    account: `user-${names}`,
    address: `198.51.100.${names}`,
    far: (index: number) => `2001:db8:${names}:${index.toString(16)}::1`,
  };
}

interface Who {
  readonly account: string;
  readonly address?: string;
}

/** Names that begin with `made-up` are no accounts. */
function subjectOf({ account, ...from }: Who): AttemptSubject {
  return { name: account, isAccount: !account.startsWith("made-up"), ...from };
}

/** Seconds to wait; `undefined` for an attempt that was begun. */
async function waitOf(who: Who): Promise<number | undefined> {
  const admission = await guard.check(subjectOf(who));
  return admission.admitted ? undefined : admission.retryAfterSeconds;
}

async function fail(times: number, who: Who): Promise<void> {
  for (let count = 0; count < times; count += 1) await guard.failed(subjectOf(who));
}

/** Attempts that are begun and wrong, as long as they are let in. Answers how many were. */
async function guess(times: number, who: Who): Promise<number> {
  let made = 0;
  for (let count = 0; count < times; count += 1) {
    if ((await waitOf(who)) !== undefined) break;
    await fail(1, who);
    made += 1;
  }
  return made;
}

/** Makes everything that a guard knows older. */
async function age(name: string, milliseconds: number): Promise<void> {
  await runInDurableObject(stubOf(name), async (_, state) => {
    for (const [key, attempts] of await state.storage.list<Attempts>()) {
      const { at, lockedUntil } = attempts;
      await state.storage.put(key, { ...attempts, at: at - milliseconds, lockedUntil: lockedUntil - milliseconds });
    }
  });
}

async function kept(name: string): Promise<string[]> {
  return runInDurableObject(stubOf(name), async (_, state) => [...(await state.storage.list()).keys()]);
}

describe("an account", () => {
  it("is locked after so many failures from one address, for that address", async () => {
    const { account, address, far } = fresh();
    await fail(ATTEMPTS - 1, { account, address });
    expect(await waitOf({ account, address })).toBeUndefined();
    await fail(1, { account, address });
    expect(await waitOf({ account, address })).toBe(30);
    expect(await waitOf({ account, address: far(1) })).toBeUndefined();
    expect(await waitOf({ account: `${account}x`, address })).toBeUndefined();
  });

  it("is locked where addresses are not known", async () => {
    const { account } = fresh();
    await fail(ATTEMPTS, { account });
    expect(await waitOf({ account })).toBe(30);
  });

  it("stays locked when its object is evicted", async () => {
    const { account, address } = fresh();
    await fail(ATTEMPTS, { account, address });
    await evictDurableObject(stubOf(accountGuard(account)));
    expect(await waitOf({ account, address })).toBe(30);
  });

  it("is open again when the time is over, and locked twice as long by the next failure", async () => {
    const { account, address } = fresh();
    await fail(ATTEMPTS, { account, address });
    await age(accountGuard(account), 30_000);
    expect(await waitOf({ account, address })).toBeUndefined();
    await fail(1, { account, address });
    expect(await waitOf({ account, address })).toBe(60);
  });

  it("begins anew after a success", async () => {
    const { account, address } = fresh();
    await fail(ATTEMPTS - 1, { account, address });
    await guard.succeeded(subjectOf({ account, address }));
    await fail(ATTEMPTS - 1, { account, address });
    expect(await waitOf({ account, address })).toBeUndefined();
  });

  it("is locked for all addresses after ten times as many failures, except where its owner is", async () => {
    const { account, address, far } = fresh();
    await guard.succeeded(subjectOf({ account, address }));
    for (let index = 0; index < 15; index += 1) await fail(2, { account, address: far(index) });
    expect(await waitOf({ account, address: far(100) })).toBe(30);
    expect(await waitOf({ account })).toBe(30);
    expect(await waitOf({ account, address })).toBeUndefined();
    await fail(1, { account, address });
    await guard.succeeded(subjectOf({ account, address }));
    expect(await waitOf({ account, address: far(100) })).toBe(30);
    await age(accountGuard(account), 24 * HOUR);
    await fail(ATTEMPTS, { account, address });
    expect(await waitOf({ account, address })).toBe(30);
  });

  it("counts failures from everywhere, however often its owner signs in", async () => {
    const { account, address, far } = fresh();
    for (let index = 0; index < 15; index += 1) {
      await fail(2, { account, address: far(index) });
      await guard.succeeded(subjectOf({ account, address }));
    }
    expect(await waitOf({ account, address: far(100) })).toBe(30);
  });
});

describe("attempts that come at once", () => {
  const begin = (count: number, subject: Who) => Promise.all(Array.from({ length: count }, () => waitOf(subject)));

  it("are as many as may be wrong, and the others wait", async () => {
    const { account, address, far } = fresh();
    const waits = await begin(20, { account, address });
    expect(waits.filter((wait) => wait === undefined)).toHaveLength(ATTEMPTS);
    expect(waits.filter((wait) => wait === 0)).toHaveLength(20 - ATTEMPTS);
    expect(await waitOf({ account, address: far(1) })).toBeUndefined();
    expect(await waitOf({ account: `${account}x`, address })).toBeUndefined();
    await guard.failed(subjectOf({ account, address }));
    expect(await waitOf({ account, address })).toBe(0);
    await fail(2, { account, address });
    expect(await waitOf({ account, address })).toBe(30);
  });

  it("from one address are as many, whatever the accounts; a refused one takes nobody's place", async () => {
    const { account, address } = fresh();
    const waits = await Promise.all(
      Array.from({ length: 20 }, (_, index) => waitOf({ account: `${account}-${index}`, address })),
    );
    expect(waits.filter((wait) => wait === undefined)).toHaveLength(4 * ATTEMPTS);
    const refused = waits.indexOf(0);
    const other = await begin(ATTEMPTS + 1, { account: `${account}-${refused}` });
    expect(other.filter((wait) => wait === undefined)).toHaveLength(ATTEMPTS);
  });

  it("make room when they end, and one at a time may try after a lock", async () => {
    const { account, address } = fresh();
    await begin(ATTEMPTS, { account, address });
    expect(await waitOf({ account, address })).toBe(0);
    await guard.succeeded(subjectOf({ account, address }));
    expect(await waitOf({ account, address })).toBeUndefined();
    await fail(ATTEMPTS, { account, address });
    await age(accountGuard(account), 30_000);
    expect((await begin(5, { account, address })).filter((wait) => wait === undefined)).toHaveLength(1);
  });
});

describe("an address", () => {
  /** As many wrong tries of as many names as lock the address. */
  async function lock(account: string, address?: string): Promise<void> {
    const names = (address === undefined ? 10 : 4) * ATTEMPTS;
    for (let index = 0; index < names; index += 1) {
      await fail(1, { account: `made-up ${account} ${index}`, ...(address !== undefined && { address }) });
    }
  }
  const admissionOf = (who: Who) => guard.check(subjectOf(who));

  it("is locked after four times as many failures, whatever the names, and still has every account tried", async () => {
    const { account, address, far } = fresh();
    await lock(account, address);
    expect(await admissionOf({ account, address })).toEqual({ admitted: true, lockedFor: 30 });
    expect(await admissionOf({ account: `made-up ${account}`, address })).toEqual({ admitted: true, lockedFor: 30 });
    expect(await admissionOf({ account: `${account}x`, address: far(1) })).toEqual({ admitted: true });
  });

  it("that is locked has each name tried wrongly once in half a minute, whether it is an account or not", async () => {
    const { account, address } = fresh();
    await lock(account, address);
    const outcomes = [];
    for (const name of [account, `made-up ${account} other`]) {
      const who = { account: name, address };
      const before = [await guess(3, who), await waitOf(who)];
      await age(accountGuard(name), 30_000);
      outcomes.push(before);
    }
    expect(outcomes).toEqual([
      [1, 30],
      [1, 30],
    ]);
    expect(await guess(3, { account, address })).toBe(1);
  });

  it("that is locked lets nobody try one name twice at a time", async () => {
    const { account, address } = fresh();
    await lock(account, address);
    const waits = await Promise.all(Array.from({ length: 5 }, () => waitOf({ account, address })));
    expect(waits.filter((wait) => wait === 0)).toHaveLength(4);
    expect(waits.filter((wait) => wait === undefined)).toHaveLength(1);
  });

  it("that is not known is one for all, with ten times the attempts", async () => {
    const { account } = fresh();
    expect(await admissionOf({ account })).toEqual({ admitted: true });
    await lock(account);
    expect(await admissionOf({ account: `${account}y` })).toMatchObject({ admitted: true, lockedFor: 30 });
    await runInDurableObject(stubOf("address:unknown"), (_, state) => state.storage.deleteAll());
  });

  it("locks a name that is no account as it would an account", async () => {
    const outcomes = [];
    for (const prefix of ["", "made-up "]) {
      const { account, address } = fresh();
      const who = { account: `${prefix}${account}`, address };
      outcomes.push([await guess(ATTEMPTS + 1, who), await waitOf(who)]);
    }
    expect(outcomes).toEqual([
      [ATTEMPTS, 30],
      [ATTEMPTS, 30],
    ]);
  });

  it("of IPv6 is its /64", async () => {
    const { account, far } = fresh();
    const block = far(1).replace("::1", "");
    for (let index = 0; index < 4 * ATTEMPTS; index += 1) {
      await fail(1, { account: `made-up ${account} ${index}`, address: `${block}::${index}` });
    }
    expect(await admissionOf({ account, address: `${block}:1:2:3:4` })).toMatchObject({ lockedFor: 30 });
    expect(await admissionOf({ account, address: far(2) })).toEqual({ admitted: true });
  });

  it("keeps names that are no accounts in one object, and so many of them at the most", async () => {
    const { account, address } = fresh();
    const before = (await listDurableObjectIds(LOGIN_GUARDS)).length;
    for (let index = 0; index < 300; index += 1) await fail(1, { account: `made-up ${account} ${index}`, address });
    expect((await listDurableObjectIds(LOGIN_GUARDS)).length - before).toBe(1);
    expect((await kept(`address:${address}`)).length).toBeLessThanOrEqual(1 + 256);
  });
});

it("forgets what has been quiet for a day, and nothing else", async () => {
  const { account, address, far } = fresh();
  const name = accountGuard(account);
  await fail(1, { account, address });
  await age(name, 24 * HOUR);
  await guard.succeeded(subjectOf({ account, address: far(1) }));
  expect(await runDurableObjectAlarm(stubOf(name))).toBe(true);
  expect(await kept(name)).toHaveLength(1);
  await age(name, 24 * HOUR);
  expect(await runDurableObjectAlarm(stubOf(name))).toBe(true);
  expect(await kept(name)).toEqual([]);
  expect(await runDurableObjectAlarm(stubOf(name))).toBe(false);
});

it("keeps nothing of accounts that only were asked about", async () => {
  const { account, address } = fresh();
  await waitOf({ account, address });
  expect([await kept(accountGuard(account)), await kept(`address:${address}`)]).toEqual([[], []]);
});

it("lets everyone try where the objects cannot be reached, and says so", async () => {
  const lines: string[] = [];
  const log: Log = { ...quietLog, error: (event) => lines.push(event) };
  const broken = {
    idFromName: (name: string) => name,
    get() {
      throw new Error("unreachable");
    },
  } as unknown as DurableObjectNamespace;
  const open = attemptGuard(broken, ATTEMPTS, log);
  const alice = { name: "alice", isAccount: true };
  expect(await open.check({ ...alice, address: "192.0.2.1" })).toEqual({ admitted: true });
  await open.failed(alice);
  await open.succeeded(alice);
  expect(lines).toEqual(Array.from({ length: 6 }, () => "login-guard.unreachable"));
});
