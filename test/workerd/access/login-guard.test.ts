import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { accountGuard, attemptGuard } from "../../../src/access/attempt-guard.ts";
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

async function fail(times: number, subject: { account?: string; address?: string }): Promise<void> {
  for (let count = 0; count < times; count += 1) await guard.failed(subject);
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
    expect(await guard.check({ account, address })).toBeUndefined();
    await fail(1, { account, address });
    expect(await guard.check({ account, address })).toBe(30);
    expect(await guard.check({ account, address: far(1) })).toBeUndefined();
    expect(await guard.check({ account: `${account}x`, address })).toBeUndefined();
  });

  it("is locked where addresses are not known", async () => {
    const { account } = fresh();
    await fail(ATTEMPTS, { account });
    expect(await guard.check({ account })).toBe(30);
  });

  it("stays locked when its object is evicted", async () => {
    const { account, address } = fresh();
    await fail(ATTEMPTS, { account, address });
    await evictDurableObject(stubOf(accountGuard(account)));
    expect(await guard.check({ account, address })).toBe(30);
  });

  it("is open again when the time is over, and locked twice as long by the next failure", async () => {
    const { account, address } = fresh();
    await fail(ATTEMPTS, { account, address });
    await age(accountGuard(account), 30_000);
    expect(await guard.check({ account, address })).toBeUndefined();
    await fail(1, { account, address });
    expect(await guard.check({ account, address })).toBe(60);
  });

  it("begins anew after a success", async () => {
    const { account, address } = fresh();
    await fail(ATTEMPTS - 1, { account, address });
    await guard.succeeded({ account, address });
    await fail(ATTEMPTS - 1, { account, address });
    expect(await guard.check({ account, address })).toBeUndefined();
  });

  it("is locked for all addresses after ten times as many failures, except where its owner is", async () => {
    const { account, address, far } = fresh();
    await guard.succeeded({ account, address });
    for (let index = 0; index < 15; index += 1) await fail(2, { account, address: far(index) });
    expect(await guard.check({ account, address: far(100) })).toBe(30);
    expect(await guard.check({ account })).toBe(30);
    expect(await guard.check({ account, address })).toBeUndefined();
    await fail(1, { account, address });
    await guard.succeeded({ account, address });
    expect(await guard.check({ account, address: far(100) })).toBe(30);
    await age(accountGuard(account), 24 * HOUR);
    await fail(ATTEMPTS, { account, address });
    expect(await guard.check({ account, address })).toBe(30);
  });

  it("counts failures from everywhere, however often its owner signs in", async () => {
    const { account, address, far } = fresh();
    for (let index = 0; index < 15; index += 1) {
      await fail(2, { account, address: far(index) });
      await guard.succeeded({ account, address });
    }
    expect(await guard.check({ account, address: far(100) })).toBe(30);
  });
});

describe("attempts that come at once", () => {
  const begin = (count: number, subject: Parameters<typeof guard.check>[0]) =>
    Promise.all(Array.from({ length: count }, () => guard.check(subject)));

  it("are as many as may be wrong, and the others wait", async () => {
    const { account, address, far } = fresh();
    const waits = await begin(20, { account, address });
    expect(waits.filter((wait) => wait === undefined)).toHaveLength(ATTEMPTS);
    expect(waits.filter((wait) => wait === 0)).toHaveLength(20 - ATTEMPTS);
    expect(await guard.check({ account, address: far(1) })).toBeUndefined();
    expect(await guard.check({ account: `${account}x`, address })).toBeUndefined();
    await guard.failed({ account, address });
    expect(await guard.check({ account, address })).toBe(0);
    await fail(2, { account, address });
    expect(await guard.check({ account, address })).toBe(30);
  });

  it("from one address are as many, whatever the accounts; a refused one takes nobody's place", async () => {
    const { account, address } = fresh();
    const waits = await Promise.all(
      Array.from({ length: 20 }, (_, index) => guard.check({ account: `${account}-${index}`, address })),
    );
    expect(waits.filter((wait) => wait === undefined)).toHaveLength(4 * ATTEMPTS);
    const refused = waits.indexOf(0);
    const other = await begin(ATTEMPTS + 1, { account: `${account}-${refused}` });
    expect(other.filter((wait) => wait === undefined)).toHaveLength(ATTEMPTS);
  });

  it("make room when they end, and one at a time may try after a lock", async () => {
    const { account, address } = fresh();
    await begin(ATTEMPTS, { account, address });
    expect(await guard.check({ account, address })).toBe(0);
    await guard.succeeded({ account, address });
    expect(await guard.check({ account, address })).toBeUndefined();
    await fail(ATTEMPTS, { account, address });
    await age(accountGuard(account), 30_000);
    expect((await begin(5, { account, address })).filter((wait) => wait === undefined)).toHaveLength(1);
  });
});

describe("an address", () => {
  it("is locked after four times as many failures, whatever the accounts", async () => {
    const { account, address } = fresh();
    for (let index = 0; index < 4 * ATTEMPTS; index += 1) {
      expect(await guard.check({ account: `${account}-${index}`, address })).toBeUndefined();
      await guard.failed({ account: `${account}-${index}`, address });
    }
    expect(await guard.check({ account: `${account}-any`, address })).toBe(30);
    expect(await guard.check({ address })).toBe(30);
    await guard.succeeded({ account: `${account}-any`, address });
    expect(await guard.check({ address })).toBe(30);
  });

  it("of IPv6 is its /64", async () => {
    const { far } = fresh();
    const block = far(1).replace("::1", "");
    for (let index = 0; index < 4 * ATTEMPTS; index += 1) await guard.failed({ address: `${block}::${index}` });
    expect(await guard.check({ address: `${block}:1:2:3:4` })).toBe(30);
    expect(await guard.check({ address: far(2) })).toBeUndefined();
  });
});

it("forgets what has been quiet for a day, and nothing else", async () => {
  const { account, address, far } = fresh();
  const name = accountGuard(account);
  await fail(1, { account, address });
  await age(name, 24 * HOUR);
  await guard.succeeded({ account, address: far(1) });
  expect(await runDurableObjectAlarm(stubOf(name))).toBe(true);
  expect(await kept(name)).toHaveLength(1);
  await age(name, 24 * HOUR);
  expect(await runDurableObjectAlarm(stubOf(name))).toBe(true);
  expect(await kept(name)).toEqual([]);
  expect(await runDurableObjectAlarm(stubOf(name))).toBe(false);
});

it("keeps nothing of accounts that only were asked about", async () => {
  const { account, address } = fresh();
  await guard.check({ account, address });
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
  expect(await open.check({ account: "alice", address: "192.0.2.1" })).toBeUndefined();
  await open.failed({ account: "alice" });
  await open.succeeded({ account: "alice" });
  expect(lines).toEqual(Array.from({ length: 4 }, () => "login-guard.unreachable"));
});
