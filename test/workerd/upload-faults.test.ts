import { runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { digestBytes } from "../../src/oci/index.ts";
import type { BlobStore, MultipartStore } from "../../src/content/blob-store.ts";
import { DiskBlobStore, PartMemory, R2BlobStore } from "../../src/content/index.ts";
import { UploadSessionState } from "../../src/content/upload-session.ts";
import { bindings, retries } from "./bindings.ts";
import { bytesOf, sameBytes, someBytes, streamOf } from "./bytes.ts";
import { createKernel, GRACE, newRepository, quietLog } from "./fixture.ts";

const { UPLOAD_SESSIONS, BLOBS, DISK } = bindings;
const PART = 8 * 1024 * 1024;
const HOUR = 3_600_000;
const BYTES = someBytes(PART + 1000);
const DIGEST = digestBytes("sha256", BYTES);

afterEach(() => {
  vi.useRealTimers();
});

/** Runs `work` in a Durable Object of its own, with sessions over its storage: each one is as after an eviction. */
async function inObject(
  store: BlobStore,
  work: (session: (other?: BlobStore) => UploadSessionState) => Promise<void>,
): Promise<void> {
  const stub = UPLOAD_SESSIONS.get(UPLOAD_SESSIONS.newUniqueId());
  await runInDurableObject(stub, async (_, { storage }) => {
    const { partSize } = store.multipart;
    const memory = partSize === undefined ? undefined : new PartMemory(partSize, Date.now);
    const ports = { memory, clock: Date.now, log: quietLog };
    await work((other = store) => new UploadSessionState(storage, { ...ports, store: other }));
    await storage.deleteAll();
  });
}

/** A store whose multipart writes are done by `multipart` where it has a word to say. */
function faulty(store: BlobStore, multipart: Partial<MultipartStore>): BlobStore {
  return {
    stat: (key) => store.stat(key),
    read: (key, range) => store.read(key, range),
    write: (key, body, expected) => store.write(key, body, expected),
    delete: (keys) => store.delete(keys),
    list: (cursor) => store.list(cursor),
    multipart: { ...store.multipart, ...multipart },
  };
}

const chunk = (bytes: Uint8Array, offset?: number) => ({
  body: streamOf(bytes),
  algorithm: "sha256" as const,
  expiresAt: Date.now() + HOUR,
  offset,
});

const stores: [string, BlobStore][] = [
  ["R2", new R2BlobStore(BLOBS, retries)],
  ["files", new DiskBlobStore(DISK)],
];

describe.each(stores)("with %s", (_, store) => {
  it("a part that could not be stored is sent again", async () => {
    let failures = 1;
    const broken = faulty(store, {
      writePart: async (write, number, body) => {
        if (failures > 0) {
          failures -= 1;
          if (body instanceof ReadableStream) await body.cancel();
          throw new Error("store is down");
        }
        return store.multipart.writePart(write, number, body);
      },
    });
    await inObject(broken, async (open) => {
      const session = open();
      await expect(session.append(chunk(BYTES, 0))).rejects.toThrow("store is down");
      const status = session.status();
      if (!status.ok) throw new Error(status.error.reason);
      expect((await session.append(chunk(BYTES.subarray(status.value), status.value))).ok).toBe(true);
      const closed = await session.close(DIGEST, chunk(new Uint8Array(0)));
      if (!closed.ok) throw new Error(closed.error.reason);
      expect(sameBytes(await bytesOf(await store.read(closed.value.key)), BYTES)).toBe(true);
    });
  });

  it.each([
    ["whole parts", PART],
    ["a part and a tail", PART + 1000],
  ])("a session that ends while %s are joined can be closed after all, or says that it is gone", async (_, size) => {
    const bytes = BYTES.subarray(0, size);
    const digest = digestBytes("sha256", bytes);
    const broken: BlobStore = {
      ...faulty(store, {
        complete: async (write, parts) => {
          await store.multipart.complete(write, parts);
          throw new Error("the machine went down");
        },
      }),
      stat: () => Promise.reject(new Error("the machine is down")),
    };
    await inObject(broken, async (open) => {
      await open().append(chunk(bytes.subarray(0, PART - 5), 0));
      await open().append(chunk(bytes.subarray(PART - 5), PART - 5));
      await expect(open().close(digest, chunk(new Uint8Array(0)))).rejects.toThrow("the machine");
      const closed = await open(store).close(digest, chunk(new Uint8Array(0)));
      if (closed.ok) expect(sameBytes(await bytesOf(await store.read(closed.value.key)), bytes)).toBe(true);
      else expect(closed.error.reason).toBe("upload-unknown");
    });
  });
});

describe("turns", () => {
  it("of requests to one session: the second waits, and gives up after a while", async () => {
    await inObject(new R2BlobStore(BLOBS, retries), async (open) => {
      const session = open();
      const { readable, writable } = new IdentityTransformStream();
      const slow = session.append({ ...chunk(new Uint8Array(0)), body: readable });
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      const busy = [session.append(chunk(BYTES)), session.cancel(Date.now() + HOUR)];
      await vi.advanceTimersByTimeAsync(10_000);
      for (const answer of busy) expect(await answer).toEqual({ ok: false, error: { reason: "upload-busy" } });
      vi.useRealTimers();
      const writer = writable.getWriter();
      await writer.write(BYTES.slice(0, 1000));
      await writer.close();
      expect(await slow).toEqual({ ok: true, value: 1000 });
      // Those that gave up left nothing behind, neither bytes nor a turn that nobody takes.
      expect(await session.append(chunk(BYTES.subarray(1000), 1000))).toEqual({ ok: true, value: BYTES.byteLength });
      expect((await session.close(DIGEST, chunk(new Uint8Array(0)))).ok).toBe(true);
    });
  });

  it("of requests to one session are taken in order", async () => {
    await inObject(new R2BlobStore(BLOBS, retries), async (open) => {
      const session = open();
      const answers = await Promise.all([
        session.append(chunk(BYTES.subarray(0, 10), 0)),
        session.append(chunk(BYTES.subarray(10, 20), 10)),
        session.append(chunk(BYTES.subarray(0, 10), 0)),
        session.append(chunk(BYTES.subarray(20), 20)),
        session.close(DIGEST, chunk(new Uint8Array(0))),
      ]);
      expect(answers.map((answer) => answer.ok)).toEqual([true, true, false, true, true]);
    });
  });
});

describe("a close that is repeated after its blob was collected", () => {
  it.each([
    ["whose object it was", false],
    ["that was another upload's object", true],
  ])("%s does not link bytes that are gone", async (_, duplicate) => {
    // The session lives on: only then can it be closed again.
    const kernel = createKernel({ uploadLifetime: 10 * GRACE });
    const repository = newRepository();
    const bytes = someBytes(3000, duplicate ? 31 : 32);
    const digest = digestBytes("sha256", bytes);
    await inObject(kernel.store, async (open) => {
      if (duplicate) {
        const first = await open().close(digest, chunk(bytes, 0));
        if (first.ok) await kernel.blobs.add(newRepository(), first.value);
      }
    });
    await inObject(kernel.store, async (open) => {
      const close = () => open().close(digest, chunk(new Uint8Array(0)));
      await open().append(chunk(bytes, 0));
      const first = await close();
      if (!first.ok) throw new Error(first.error.reason);
      await kernel.blobs.add(repository, first.value);
      await kernel.settle();
      for (let round = 0; round < 3; round += 1) {
        kernel.time.now += GRACE + 1;
        await kernel.collector.sweep();
      }
      const again = await close();
      if (again.ok) await kernel.blobs.add(repository, again.value);
      const found = await kernel.blobs.find(repository, digest, true);
      if (found.ok) expect(await bytesOf(await kernel.blobs.read(found.value))).toEqual(bytes);
    });
  });
});
