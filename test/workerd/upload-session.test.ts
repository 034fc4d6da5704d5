import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { digestBytes } from "../../src/oci/index.ts";
import { R2BlobStore } from "../../src/content/index.ts";
import { uploadSessionClient } from "../../src/content/upload-session-object.ts";
import { bindings, retries } from "./bindings.ts";
import { brokenStream, bytesOf, sameBytes, someBytes, streamOf } from "./bytes.ts";

const { BLOBS, UPLOAD_SESSIONS } = bindings;
const PART = 8 * 1024 * 1024;
const HOUR = 3_600_000;
const store = new R2BlobStore(BLOBS, retries);
/** Two parts and a tail. */
const LONG = someBytes(2 * PART + 100_000);
const SHORT = someBytes(5000, 2);

let sessions = 0;

function newSession(algorithm: "sha256" | "sha512" = "sha256", expiresAt = Date.now() + HOUR) {
  sessions += 1;
  const name = `test/uploads@${sessions}`;
  const stub = UPLOAD_SESSIONS.get(UPLOAD_SESSIONS.idFromName(name));
  return { stub, session: uploadSessionClient(UPLOAD_SESSIONS, name, algorithm, expiresAt, retries) };
}

/** How many values the object keeps, by the first word of their names. */
async function kept(stub: DurableObjectStub): Promise<Record<string, number>> {
  return runInDurableObject(stub, async (_, state) => {
    const counts: Record<string, number> = {};
    for (const name of (await state.storage.list()).keys()) {
      const [kind = ""] = name.split(":");
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
    return counts;
  });
}

const objects = async () => (await BLOBS.list()).objects.length;

async function expectStored(
  result: Awaited<ReturnType<ReturnType<typeof newSession>["session"]["close"]>>,
  bytes: Uint8Array,
) {
  if (!result.ok) throw new Error(result.error.reason);
  expect(result.value.size).toBe(bytes.byteLength);
  expect(sameBytes(await bytesOf(await store.read(result.value.key)), bytes)).toBe(true);
}

describe("chunks", () => {
  it.each([
    ["in one", [LONG.byteLength]],
    ["that are parts", [PART, 2 * PART, LONG.byteLength]],
    ["that are nearly parts", [PART - 1, PART + 1, 2 * PART, LONG.byteLength]],
    ["after which nothing is left", [100, LONG.byteLength, LONG.byteLength]],
  ])("%s give the blob", async (_, ends) => {
    const { session } = newSession();
    let start = 0;
    for (const end of ends) {
      expect(await session.append(streamOf(LONG.subarray(start, end)), start)).toEqual({ ok: true, value: end });
      expect(await session.status()).toEqual({ ok: true, value: end });
      start = end;
    }
    await expectStored(await session.close(null, undefined, digestBytes("sha256", LONG)), LONG);
  });

  it.each(["sha256", "sha512"] as const)("with the last one in the close, in %s", async (algorithm) => {
    const { session } = newSession(algorithm);
    await session.append(streamOf(LONG.subarray(0, PART + 5)), undefined);
    const closed = await session.close(streamOf(LONG.subarray(PART + 5)), PART + 5, digestBytes(algorithm, LONG));
    await expectStored(closed, LONG);
  });

  it("that were announced in another algorithm than that of the digest are verified all the same", async () => {
    const { session } = newSession("sha256");
    await session.append(streamOf(LONG), 0);
    await expectStored(await session.close(null, undefined, digestBytes("sha512", LONG)), LONG);
  });

  it("out of order are refused, and harm nothing", async () => {
    const { session } = newSession();
    expect(await session.append(streamOf(SHORT), 5)).toMatchObject({
      error: { reason: "upload-out-of-order", expected: 0 },
    });
    await session.append(streamOf(SHORT), 0);
    for (const offset of [0, 4999, 5001]) {
      const refused = await session.append(streamOf(SHORT), offset);
      expect(refused).toEqual({ ok: false, error: { reason: "upload-out-of-order", expected: 5000 } });
    }
    await expectStored(await session.close(null, undefined, digestBytes("sha256", SHORT)), SHORT);
  });

  it("none of which has bytes give the empty blob", async () => {
    const { session } = newSession();
    expect(await session.append(null, 0)).toEqual({ ok: true, value: 0 });
    const empty = new Uint8Array(0);
    await expectStored(await session.close(null, 0, digestBytes("sha256", empty)), empty);
  });

  it("that break off keep what arrived, and go on from there", async () => {
    const { session } = newSession();
    const cut = PART + 300_000;
    const broken = await session.append(brokenStream(LONG.subarray(0, cut), LONG.byteLength), 0).catch(() => undefined);
    const status = await session.status();
    if (!status.ok) throw new Error(status.error.reason);
    // How much of it the runtime had handed on is its own affair; what is said to be there must be.
    expect(status.value).toBeLessThanOrEqual(cut);
    if (broken !== undefined)
      expect(broken).toMatchObject({ error: { reason: "upload-interrupted", received: status.value } });
    expect((await session.append(streamOf(LONG.subarray(status.value)), status.value)).ok).toBe(true);
    await expectStored(await session.close(null, undefined, digestBytes("sha256", LONG)), LONG);
  });
});

describe("an eviction", () => {
  it("between chunks is not noticed", async () => {
    const { stub, session } = newSession();
    await session.append(streamOf(LONG.subarray(0, PART + 7)), 0);
    expect(await kept(stub)).toEqual({ session: 1, part: 1, tail: 1 });
    await evictDurableObject(stub);
    expect(await session.status()).toEqual({ ok: true, value: PART + 7 });
    await session.append(streamOf(LONG.subarray(PART + 7)), PART + 7);
    await evictDurableObject(stub);
    await expectStored(await session.close(null, undefined, digestBytes("sha256", LONG)), LONG);
  });

  it("after each of many small chunks keeps the tail", async () => {
    const { stub, session } = newSession();
    for (let start = 0; start < SHORT.byteLength; start += 1000) {
      await session.append(streamOf(SHORT.subarray(start, start + 1000)), start);
      await evictDurableObject(stub);
    }
    expect((await kept(stub))["part"]).toBeUndefined();
    await expectStored(await session.close(null, undefined, digestBytes("sha256", SHORT)), SHORT);
  });

  it("and a wrong digest leave nothing", async () => {
    const before = await objects();
    const { stub, session } = newSession();
    await session.append(streamOf(LONG), 0);
    await evictDurableObject(stub);
    const actual = digestBytes("sha256", LONG);
    const expected = digestBytes("sha256", SHORT);
    const closed = await session.close(null, undefined, expected);
    expect(closed).toEqual({ ok: false, error: { reason: "digest-mismatch", expected, actual } });
    expect(await objects()).toBe(before);
    expect(await session.status()).toMatchObject({ error: { reason: "upload-unknown" } });
  });
});

describe("a wrong digest", () => {
  it.each([
    ["small", SHORT],
    ["large", LONG],
  ])("leaves nothing of a %s blob, and ends the upload", async (_, bytes) => {
    const before = await objects();
    const { stub, session } = newSession();
    await session.append(streamOf(bytes), 0);
    const closed = await session.close(null, undefined, digestBytes("sha256", new Uint8Array(1)));
    expect(closed).toMatchObject({ ok: false, error: { reason: "digest-mismatch" } });
    expect(await objects()).toBe(before);
    expect(await kept(stub)).not.toHaveProperty("tail");
    expect(await session.append(streamOf(SHORT), undefined)).toMatchObject({ error: { reason: "upload-unknown" } });
  });
});

describe("closing", () => {
  it("again gives the same answer, from memory or not", async () => {
    const { stub, session } = newSession();
    await session.append(streamOf(SHORT), 0);
    const digest = digestBytes("sha256", SHORT);
    const first = await session.close(null, undefined, digest);
    expect(await session.close(streamOf(SHORT), 0, digest)).toEqual(first);
    await evictDurableObject(stub);
    expect(await session.close(null, undefined, digest)).toEqual(first);
    const other = await session.close(null, undefined, digestBytes("sha512", SHORT));
    expect(other).toMatchObject({ error: { reason: "upload-unknown" } });
    expect(await session.append(streamOf(SHORT), undefined)).toMatchObject({ error: { reason: "upload-unknown" } });
    expect(await kept(stub)).toEqual({ session: 1 });
  });

  it("past the session is for sessions that have nothing", async () => {
    const { session } = newSession();
    expect([await session.take(), await session.take()]).toEqual([true, false]);
    expect(await session.append(streamOf(SHORT), 0)).toMatchObject({ error: { reason: "upload-unknown" } });
    const { session: used } = newSession();
    await used.append(streamOf(SHORT), 0);
    expect(await used.take()).toBe(false);
  });
});

describe("the end of its time", () => {
  it.each([
    ["small", SHORT],
    ["large", LONG],
  ])("removes a %s upload that was not finished, and the session", async (_, bytes) => {
    const before = await objects();
    const { stub, session } = newSession();
    await session.append(streamOf(bytes), 0);
    expect(await runDurableObjectAlarm(stub)).toBe(true);
    expect(await kept(stub)).toEqual({});
    expect(await objects()).toBe(before);
    expect(await runDurableObjectAlarm(stub)).toBe(false);
  });

  it("removes the session of a finished upload, and not its blob", async () => {
    const { stub, session } = newSession();
    await session.append(streamOf(LONG), 0);
    const closed = await session.close(null, undefined, digestBytes("sha256", LONG));
    expect(await runDurableObjectAlarm(stub)).toBe(true);
    expect(await kept(stub)).toEqual({});
    await expectStored(closed, LONG);
  });

  it.each<[string, (session: ReturnType<typeof newSession>["session"]) => Promise<unknown>]>([
    ["cancelled", (session) => session.cancel()],
    ["taken", (session) => session.take()],
    ["refused", (session) => session.close(streamOf(SHORT), 0, digestBytes("sha512", LONG))],
  ])("removes a session that was %s", async (_, end) => {
    const { stub, session } = newSession();
    await end(session);
    expect(await kept(stub)).toEqual({ session: 1 });
    expect(await runDurableObjectAlarm(stub)).toBe(true);
    expect(await kept(stub)).toEqual({});
  });
});

describe("cancelling", () => {
  it.each([
    ["unused", undefined],
    ["small", SHORT],
    ["large", LONG],
  ])("an %s upload leaves nothing, and is done once", async (_, bytes) => {
    const before = await objects();
    const { session } = newSession();
    if (bytes !== undefined) await session.append(streamOf(bytes), 0);
    expect((await session.cancel()).ok).toBe(true);
    expect(await objects()).toBe(before);
    for (const again of [session.cancel(), session.status(), session.append(streamOf(SHORT), 0)]) {
      expect(await again).toMatchObject({ ok: false, error: { reason: "upload-unknown" } });
    }
  });
});
