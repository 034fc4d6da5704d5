import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { digestBytes } from "../../src/oci/index.ts";
import { uploadSessionClient } from "../../src/content/upload-session-object.ts";
import { bindings, retries } from "./bindings.ts";
import { someBytes, streamOf } from "./bytes.ts";

const { UPLOAD_SESSIONS } = bindings;
const HOUR = 3_600_000;
const BYTES = someBytes(1000, 5);
const DIGEST = digestBytes("sha256", BYTES);

let accounts = 0;
let sessions = 0;

/** An account that may have two uploads open. */
function newAccount() {
  accounts += 1;
  const account = { name: `tester-${accounts}`, limit: 2 };
  const stub = UPLOAD_SESSIONS.get(UPLOAD_SESSIONS.idFromName(`account:${account.name}`));
  const open = async () =>
    runInDurableObject(stub, async (_, { storage }) => (await storage.list({ prefix: "open:" })).size);
  const session = (expiresAt = Date.now() + HOUR) => {
    sessions += 1;
    const name = `test/open@${sessions}`;
    const client = uploadSessionClient(UPLOAD_SESSIONS, name, "sha256", expiresAt, retries, account);
    return { client, stub: UPLOAD_SESSIONS.get(UPLOAD_SESSIONS.idFromName(name)) };
  };
  return { stub, open, session };
}

const REFUSED = { ok: false, error: { reason: "uploads-too-many", limit: 2 } };
const TAKEN = { ok: true, value: BYTES.byteLength };

describe("the uploads that an account has open", () => {
  it("are bounded, and one too many leaves nothing and may come again", async () => {
    const { session, open } = newAccount();
    const [one, two, three] = [session(), session(), session()];
    expect(await one.client.append(streamOf(BYTES), 0)).toEqual(TAKEN);
    expect(await two.client.append(streamOf(BYTES), 0)).toEqual(TAKEN);
    expect(await three.client.append(streamOf(BYTES), 0)).toEqual(REFUSED);
    expect(await runInDurableObject(three.stub, async (_, { storage }) => (await storage.list()).size)).toBe(0);
    // What goes on with one that is open is no other one.
    expect(await one.client.append(streamOf(BYTES), BYTES.byteLength)).toMatchObject({ ok: true });
    expect((await two.client.close(null, undefined, DIGEST)).ok).toBe(true);
    await expect.poll(open).toBe(1);
    expect(await three.client.append(streamOf(BYTES), 0)).toEqual(TAKEN);
    expect((await one.client.cancel()).ok).toBe(true);
    await expect.poll(open).toBe(1);
  });

  it("are forgotten when their time is over, told or not", async () => {
    const { session, stub, open } = newAccount();
    for (const { client } of [session(), session()]) await client.append(streamOf(BYTES), 0);
    expect(await session().client.append(streamOf(BYTES), 0)).toEqual(REFUSED);
    await runInDurableObject(stub, (_, { storage }) => {
      for (const [key] of storage.kv.list({ prefix: "open:" })) storage.kv.put(key, Date.now() - 1);
    });
    await evictDurableObject(stub);
    expect(await session().client.append(streamOf(BYTES), 0)).toEqual(TAKEN);
    await expect.poll(open).toBe(1);
    await runDurableObjectAlarm(stub);
    expect(await open()).toBe(1);
  });

  it("of another account are its own", async () => {
    const [one, other] = [newAccount(), newAccount()];
    for (const { client } of [one.session(), one.session(), other.session()]) {
      expect(await client.append(streamOf(BYTES), 0)).toEqual(TAKEN);
    }
    expect([await one.open(), await other.open()]).toEqual([2, 1]);
  });
});
