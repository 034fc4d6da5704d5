import { runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { digestBytes } from "../../src/oci/index.ts";
import type { BlobStore } from "../../src/content/blob-store.ts";
import { DiskBlobStore, PartMemory, R2BlobStore } from "../../src/content/index.ts";
import { UploadRecords } from "../../src/content/upload-record.ts";
import { UploadSessionState } from "../../src/content/upload-session.ts";
import { uploadSessionClient } from "../../src/content/upload-session-object.ts";
import { bindings, retries } from "./bindings.ts";
import { bytesOf, sameBytes, someBytes, streamOf } from "./bytes.ts";
import { quietLog } from "./fixture.ts";

const { BLOBS, UPLOAD_SESSIONS } = bindings;
const PART = 8 * 1024 * 1024;
const HOUR = 3_600_000;
/** More than an isolate has memory for at a time. */
const CLIENTS = 8;
/** Enough that memory is lent for it, and no whole part. */
const SOME = someBytes(PART / 2, 3);
const QUICK = someBytes(PART + 1000, 4);
const DIGEST = digestBytes("sha256", QUICK);

const store = new R2BlobStore(BLOBS, retries);
let sessions = 0;

afterEach(() => {
  vi.useRealTimers();
});

function newSession() {
  sessions += 1;
  return uploadSessionClient(UPLOAD_SESSIONS, `test/memory@${sessions}`, "sha256", Date.now() + HOUR, retries);
}

/** A body of which nothing more comes until it is told so. */
async function stalled(bytes: Uint8Array<ArrayBuffer>) {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  return { readable, write: () => writer.write(bytes), end: () => writer.close() };
}

async function pushQuick(): Promise<void> {
  const session = newSession();
  expect(await session.append(streamOf(QUICK), 0)).toEqual({ ok: true, value: QUICK.byteLength });
  const closed = await session.close(null, undefined, DIGEST);
  if (!closed.ok) throw new Error(closed.error.reason);
  expect(sameBytes(await bytesOf(await store.read(closed.value.key)), QUICK)).toBe(true);
}

describe("pushes in chunks that send nothing more", () => {
  it("do not stop others, and lose nothing", { timeout: 150_000 }, async () => {
    const slow = await Promise.all(
      Array.from({ length: CLIENTS }, async () => {
        const [session, body] = [newSession(), await stalled(SOME)];
        const answer = session.append(body.readable, 0);
        await body.write();
        return { session, body, answer };
      }),
    );
    await pushQuick();
    for (const { body, answer, session } of slow) {
      await body.end();
      expect(await answer).toEqual({ ok: true, value: SOME.byteLength });
      expect(await session.status()).toEqual({ ok: true, value: SOME.byteLength });
    }
  });
});

describe("memory that objects held when they were reset", () => {
  it("is had again after a while, and meanwhile done without, eight times in a row", { timeout: 300_000 }, async () => {
    const time = { now: Date.now() };
    const parts = 2;
    const memory = new PartMemory(PART, () => time.now, { parts, partPatience: 10 });
    for (let round = 0; round < 8; round += 1) {
      for (let part = 0; part < parts; part += 1) await resetWhileHolding(memory);
      // Nobody is left to give it back.
      expect(await memory.borrow()).toBeUndefined();
      await pushWith(memory);
      time.now += HOUR;
      const buffers = await Promise.all(Array.from({ length: parts + 1 }, () => memory.borrow()));
      expect(buffers.map((buffer) => buffer?.bytes.byteLength)).toEqual([PART, PART, undefined]);
      for (const buffer of buffers) buffer?.release();
      await pushWith(memory);
    }
  });

  it("stops nobody, though it was all that there is", { timeout: 150_000 }, async () => {
    const slow: { readonly stub: DurableObjectStub; readonly answer: Promise<unknown> }[] = [];
    for (let client = 0; client < CLIENTS; client += 1) {
      const [session, body] = [newSession(), await stalled(SOME)];
      const stub = UPLOAD_SESSIONS.get(UPLOAD_SESSIONS.idFromName(`test/memory@${sessions}`));
      slow.push({ stub, answer: session.append(body.readable, 0).catch((error: unknown) => error) });
      await body.write();
    }
    for (const { stub, answer } of slow) {
      await reset(stub);
      expect(await answer).toMatchObject({ message: "reset by a test" });
    }
    await pushQuick();
  });
});

describe("memory of bytes that were set aside", () => {
  it("is given back piece by piece, and not when the engine gets to it", async () => {
    await runInDurableObject(UPLOAD_SESSIONS.get(UPLOAD_SESSIONS.newUniqueId()), async (_, { storage }) => {
      const records = new UploadRecords(storage);
      records.appendTail(0, SOME);
      expect(SOME.byteLength).toBe(PART / 2);
      const pieces: Uint8Array[] = [];
      let read = 0;
      for (const piece of records.tail(SOME.byteLength)) {
        expect(sameBytes(piece, SOME.subarray(read, read + piece.byteLength))).toBe(true);
        read += piece.byteLength;
        pieces.push(piece);
      }
      expect(read).toBe(SOME.byteLength);
      expect(pieces.map((piece) => piece.byteLength)).toEqual(pieces.map(() => 0));
      records.clearTail();
      expect(() => [...records.tail(1)]).toThrow("ends at 0");
      await storage.deleteAll();
    });
  });
});

describe("a body that nearly stops", () => {
  it.each<[string, BlobStore]>([
    ["R2", store],
    ["files", new DiskBlobStore(bindings.DISK)],
  ])("is given up, and what came of it is kept, with %s", async (_, target) => {
    const memory = target.multipart.partSize === undefined ? undefined : new PartMemory(PART, Date.now);
    await withSession(
      memory,
      async (session) => {
        vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
        const body = await stalled(SOME);
        const answer = session.append({ ...first(SOME), body: body.readable });
        await body.write();
        for (let window = 0; window < 3; window += 1) await vi.advanceTimersByTimeAsync(60_000);
        const interrupted = await answer;
        expect(interrupted).toMatchObject({ ok: false, error: { reason: "upload-interrupted" } });
        const status = session.status();
        expect(status).toEqual({ ok: true, value: SOME.byteLength });
        expect(await session.append({ ...first(SOME), offset: SOME.byteLength })).toMatchObject({ ok: true });
      },
      target,
    );
  });
});

describe("more bodies than may be received", () => {
  it("are refused after a while, and may come again", async () => {
    const memory = new PartMemory(PART, Date.now, { bodies: 1, bodyPatience: 10 });
    await withSession(memory, async (session) => {
      const seat = await memory.admit();
      expect(await session.append(first(SOME))).toEqual({ ok: false, error: { reason: "uploads-crowded" } });
      expect(session.status()).toEqual({ ok: true, value: 0 });
      seat?.release();
      expect(await session.append(first(SOME))).toEqual({ ok: true, value: SOME.byteLength });
    });
  });
});

/** Pushes through an object that shares `memory`, whether it has some or not. */
async function pushWith(memory: PartMemory): Promise<void> {
  await withSession(memory, async (session) => {
    expect(await session.append(first(QUICK))).toEqual({ ok: true, value: QUICK.byteLength });
    const closed = await session.close(DIGEST, { ...first(QUICK), body: null, offset: undefined });
    if (!closed.ok) throw new Error(closed.error.reason);
    expect(sameBytes(await bytesOf(await store.read(closed.value.key)), QUICK)).toBe(true);
    await store.delete([closed.value.key]);
  });
}

/** Has an object end in the middle of a push, as the platform does when it moves or runs out of something. */
async function reset(stub: DurableObjectStub): Promise<void> {
  await expect(
    runInDurableObject(stub, async (_, state) => {
      state.abort("reset by a test");
      await new Promise(() => {});
    }),
  ).rejects.toThrow();
}

/** An object that has some of `memory` while a part fills, until it is reset. */
async function resetWhileHolding(memory: PartMemory): Promise<void> {
  const stub = UPLOAD_SESSIONS.get(UPLOAD_SESSIONS.newUniqueId());
  const borrowed = vi.spyOn(memory, "borrow");
  await expect(
    runInDurableObject(stub, async (_, state) => {
      const session = new UploadSessionState(state.storage, { store, memory, clock: Date.now, log: quietLog });
      const body = await stalled(SOME);
      session.append({ ...first(SOME), body: body.readable }).catch(() => {});
      await body.write();
      await vi.waitFor(() => expect(borrowed).toHaveBeenCalledOnce());
      expect(await borrowed.mock.results[0]?.value).toBeDefined();
      state.abort("reset by a test");
      await new Promise(() => {});
    }),
  ).rejects.toThrow("reset by a test");
  borrowed.mockRestore();
}

const first = (bytes: Uint8Array) => ({
  body: streamOf(bytes),
  algorithm: "sha256" as const,
  expiresAt: Date.now() + HOUR,
  offset: 0,
});

/** A session in an object of its own that shares `memory`. */
async function withSession(
  memory: PartMemory | undefined,
  work: (session: UploadSessionState) => Promise<void>,
  target: BlobStore = store,
): Promise<void> {
  const stub = UPLOAD_SESSIONS.get(UPLOAD_SESSIONS.newUniqueId());
  const ports = { store: target, memory, clock: Date.now, log: quietLog };
  await runInDurableObject(stub, async (_, { storage }) => {
    await work(new UploadSessionState(storage, ports));
    await storage.deleteAll();
  });
}
