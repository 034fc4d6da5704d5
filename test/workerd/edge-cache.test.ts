import { describe, expect, it } from "vitest";
import { EdgeCache, type EdgePorts } from "../../src/content/index.ts";
import { parseRoute } from "../../src/distribution/route.ts";
import { bytesOf, sameBytes, someBytes } from "./bytes.ts";
import { createKernel, newRepository, pushBlob, quietLog } from "./fixture.ts";

/** Large enough not to be kept in memory. */
const SIZE = 300_000;
const HOST = "registry.example.com";
let seed = 1500;

async function pushed() {
  const fills: Promise<unknown>[] = [];
  const time = { now: 0 };
  const names: string[] = [];
  const cache: EdgePorts["cache"] = {
    match: (request, options) => caches.default.match(request, options),
    put(name, response) {
      names.push(new Request(name).url);
      return caches.default.put(name, response);
    },
  };
  const edge = edgeCache(
    cache,
    (work) => fills.push(work),
    () => time.now,
  );
  const kernel = createKernel({ edge });
  const repository = newRepository();
  const bytes = someBytes(SIZE, (seed += 1));
  const { digest, key } = await pushBlob(kernel, repository, bytes);
  const read = async (range?: { offset: number; length: number }, host?: string) => {
    const found = await kernel.blobs.find(repository, digest, true);
    if (!found.ok) return found.error.reason;
    return bytesOf(await kernel.blobs.read(found.value, range, host ?? HOST));
  };
  const filled = async () => {
    for (const fill of fills.splice(0)) await fill;
  };
  return { kernel, repository, bytes, digest, key, read, filled, fills, names, time };
}

function edgeCache(cache: EdgePorts["cache"], background: EdgePorts["background"], clock = () => 0): EdgeCache {
  return new EdgeCache({ cache, clock, log: quietLog, background });
}

describe("a large blob", () => {
  it("is read from the cache the second time", async () => {
    const { kernel, bytes, key, read, filled } = await pushed();
    expect(sameBytes((await read()) as Uint8Array, bytes)).toBe(true);
    await filled();
    // Only the cache has it now.
    await kernel.store.delete([key]);
    expect(sameBytes((await read()) as Uint8Array, bytes)).toBe(true);
  });

  it("is read in ranges from the cache", async () => {
    const { kernel, bytes, key, read, filled } = await pushed();
    expect(await read({ offset: 5, length: 10 })).toEqual(bytes.slice(5, 15));
    await read();
    await filled();
    await kernel.store.delete([key]);
    for (const [offset, length] of [
      [0, 1],
      [0, SIZE],
      [SIZE - 1, 1],
      [100_000, 123_456],
    ] as const) {
      const range = (await read({ offset, length })) as Uint8Array;
      expect(sameBytes(range, bytes.slice(offset, offset + length))).toBe(true);
    }
  });

  it("is not found, though it is cached, when the repository does not hold it any more", async () => {
    const { kernel, repository, digest, read, filled } = await pushed();
    await read();
    await filled();
    expect((await kernel.blobs.remove(repository, digest)).ok).toBe(true);
    expect(await read()).toBe("blob-unknown");
    const elsewhere = await kernel.blobs.find(newRepository(), digest, true);
    expect(elsewhere).toMatchObject({ ok: false, error: { reason: "blob-unknown" } });
  });

  it("is kept under the host that it was asked for, by a path of the registry and a name that no client knows", async () => {
    const { key, digest, read, filled, names } = await pushed();
    await read();
    await filled();
    expect(names).toEqual([`https://${HOST}/v2/.edge/${key}`]);
    expect(names[0]).not.toContain(digest);
    expect(parseRoute(new URL(names[0] ?? "").pathname)).toMatchObject({ kind: "failure", code: "not-found" });
  });

  it("is read once more for the cache, however many ask for it at the same time", async () => {
    const { read, filled, fills, names } = await pushed();
    await Promise.all(Array.from({ length: 10 }, () => read()));
    expect(fills).toHaveLength(1);
    await filled();
    expect(names).toHaveLength(1);
  });

  it("is tried again when a fill was ended without a word", async () => {
    const { kernel, repository, digest, read, fills, time } = await pushed();
    const found = await kernel.blobs.find(repository, digest, true);
    if (!found.ok) throw new Error(found.error.reason);
    const never = new Promise<undefined>(() => {});
    kernel.edge?.at(HOST)?.fill(found.value, () => never);
    await read();
    expect(fills).toHaveLength(1);
    time.now += 60_000;
    await read();
    expect(fills).toHaveLength(2);
    await fills.pop();
  });

  it.each(["entrepot.someone.workers.dev", "entrepot.someone.workers.dev:443"])(
    "is not read twice for a cache that keeps nothing: %s",
    async (host) => {
      const { bytes, read, fills } = await pushed();
      expect(sameBytes((await read(undefined, host)) as Uint8Array, bytes)).toBe(true);
      expect(fills).toEqual([]);
    },
  );

  it("that cannot be cached is served all the same", async () => {
    const failing = { match: async () => undefined, put: () => Promise.reject(new Error("full")) } as unknown as Cache;
    const fills: Promise<unknown>[] = [];
    const kernel = createKernel({ edge: edgeCache(failing, (work) => fills.push(work)) });
    const repository = newRepository();
    const bytes = someBytes(SIZE, (seed += 1));
    const { digest } = await pushBlob(kernel, repository, bytes);
    const found = await kernel.blobs.find(repository, digest, true);
    if (!found.ok) throw new Error(found.error.reason);
    expect(sameBytes(await bytesOf(await kernel.blobs.read(found.value, undefined, HOST)), bytes)).toBe(true);
    expect(await Promise.all(fills)).toEqual([undefined]);
  });
});

describe("a small blob", () => {
  it("is kept in memory, not in the cache, and is not given to who may not have it", async () => {
    const kernel = createKernel({
      edge: edgeCache(caches.default, () => {
        throw new Error("a small blob does not belong in the cache");
      }),
    });
    const repository = newRepository();
    const bytes = someBytes(1000, (seed += 1));
    const { digest, key } = await pushBlob(kernel, repository, bytes);
    const found = await kernel.blobs.find(repository, digest, true);
    if (!found.ok) throw new Error(found.error.reason);
    await kernel.blobs.read(found.value, undefined, HOST);
    await kernel.store.delete([key]);
    expect(await bytesOf(await kernel.blobs.read(found.value, { offset: 10, length: 5 }, HOST))).toEqual(
      bytes.slice(10, 15),
    );
    await kernel.blobs.remove(repository, digest);
    expect((await kernel.blobs.find(repository, digest, true)).ok).toBe(false);
  });
});
