import { describe, expect, it } from "vitest";
import type { BlobStore } from "../../src/content/blob-store.ts";
import { R2BlobStore } from "../../src/content/index.ts";
import type { Database } from "../../src/platform/index.ts";
import { bindings, retries } from "./bindings.ts";
import { bytesOf, someBytes } from "./bytes.ts";
import { createKernel, GRACE, imageOf, type Kernel, newRepository, pushBlob, pushManifest } from "./fixture.ts";

let seed = 500;
const fresh = () => someBytes(200, (seed += 1));

/** A database that runs `before` ahead of each batch, and `after` behind each single query. */
function hookedDatabase(hooks: { before?: () => Promise<void>; after?: () => Promise<void> }): Database {
  const { DB } = bindings;
  const hooked = (statement: D1PreparedStatement): D1PreparedStatement =>
    new Proxy(statement, {
      get(target, name) {
        if (name === "bind") return (...values: unknown[]) => hooked(target.bind(...values));
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        if (name !== "all") return member.bind(target) as unknown;
        return async () => {
          const results = await target.all();
          await hooks.after?.();
          return results;
        };
      },
    });
  return {
    prepare: (query) => hooked(DB.prepare(query)),
    batch: async (statements) => {
      await hooks.before?.();
      return DB.batch(statements);
    },
  };
}

/** A store that runs `before` ahead of each write or delete. */
function hookedStore(hooks: { write?: () => Promise<void>; delete?: () => Promise<void> }): BlobStore {
  const store = new R2BlobStore(bindings.BLOBS, retries);
  return {
    stat: (key) => store.stat(key),
    read: (key, range) => store.read(key, range),
    list: (cursor) => store.list(cursor),
    multipart: store.multipart,
    write: async (key, body, expected) => {
      await hooks.write?.();
      return store.write(key, body, expected);
    },
    delete: async (keys) => {
      await hooks.delete?.();
      await store.delete(keys);
    },
  };
}

async function sweepLater({ time, collector }: Kernel): Promise<void> {
  time.now += GRACE + 1;
  await collector.sweep();
}

/** Either the manifest is not there, or all that it needs is there and can be read. */
async function expectWhole(kernel: Kernel, repository: ReturnType<typeof newRepository>, blob: { digest: string }) {
  const reference = { kind: "tag", tag: "v1" } as never;
  const manifest = await kernel.manifests.find(repository, reference, true);
  if (!manifest.ok) return false;
  const found = await kernel.blobs.find(repository, blob.digest as never, true);
  if (!found.ok) throw new Error("a tag points to nothing");
  expect((await bytesOf(await kernel.blobs.read(found.value))).byteLength).toBe(200);
  return true;
}

describe("a sweep in the middle of a push of a manifest", () => {
  it.each([
    ["after the client asked for the blob, before the bytes", "write", 1],
    ["twice after the client asked for the blob, before the bytes", "write", 2],
    ["between the bytes and the rows", "batch", 1],
    ["twice between the bytes and the rows", "batch", 2],
  ] as const)("%s", async (_, where, sweeps) => {
    const plain = createKernel();
    const repository = newRepository();
    const blob = await pushBlob(plain, repository, fresh());
    plain.time.now += GRACE / 10;
    expect((await plain.blobs.find(repository, blob.digest, true)).ok).toBe(true);
    let left: number = sweeps;
    const sweep = async () => {
      for (; left > 0; left -= 1) await sweepLater(plain);
    };
    const kernel = createKernel(
      where === "write" ? { store: hookedStore({ write: sweep }) } : { database: hookedDatabase({ before: sweep }) },
    );
    const pushed = await pushManifest(kernel, repository, imageOf([blob.digest]), "v1");
    expect(left).toBe(0);
    expect(pushed).toMatchObject({
      ok: false,
      error: { reason: "manifest-references-unknown", missing: [blob.digest] },
    });
    expect(await expectWhole(plain, repository, blob)).toBe(false);
    // The client pushes what is missing, and is fine.
    await pushBlob(plain, repository, fresh());
    const again = await pushBlob(plain, repository, someBytes(200, seed - 1));
    expect(again.digest).toBe(blob.digest);
    expect((await pushManifest(plain, repository, imageOf([blob.digest]), "v1")).ok).toBe(true);
    expect(await expectWhole(plain, repository, blob)).toBe(true);
  });
});

describe("a push in the middle of a sweep", () => {
  it("of a manifest, between finding orphans and unlinking them, keeps its blobs", async () => {
    const plain = createKernel();
    const repository = newRepository();
    const blob = await pushBlob(plain, repository, fresh());
    let pushed = false;
    const kernel = createKernel({
      database: hookedDatabase({
        after: async () => {
          if (pushed) return;
          pushed = true;
          expect((await pushManifest(plain, repository, imageOf([blob.digest]), "v1")).ok).toBe(true);
        },
      }),
    });
    await sweepLater(kernel);
    expect(pushed).toBe(true);
    for (let round = 0; round < 3; round += 1) await sweepLater(plain);
    expect(await expectWhole(plain, repository, blob)).toBe(true);
  });

  it("of the same bytes, between forgetting the row and deleting the object, keeps the new object", async () => {
    const plain = createKernel();
    const repository = newRepository();
    const bytes = fresh();
    const blob = await pushBlob(plain, repository, bytes);
    await sweepLater(plain);
    let pushed = false;
    const kernel = createKernel({
      store: hookedStore({
        delete: async () => {
          if (pushed) return;
          pushed = true;
          await pushBlob(plain, repository, bytes);
        },
      }),
    });
    kernel.time.now = plain.time.now;
    await sweepLater(kernel);
    expect(pushed).toBe(true);
    expect((await pushManifest(plain, repository, imageOf([blob.digest]), "v1")).ok).toBe(true);
    expect(await expectWhole(plain, repository, blob)).toBe(true);
  });
});

describe("pushes at the same time", () => {
  it("of the same bytes leave one object, which is read by all", async () => {
    const kernel = createKernel();
    const bytes = fresh();
    const repositories = Array.from({ length: 8 }, newRepository);
    const objects = await Promise.all(repositories.map((repository) => pushBlob(kernel, repository, bytes)));
    await kernel.settle();
    const sizes = await Promise.all(objects.map(({ key }) => kernel.store.stat(key)));
    expect(sizes.filter((size) => size !== undefined)).toEqual([200]);
    for (const repository of repositories) {
      const found = await kernel.blobs.find(repository, objects[0]?.digest ?? ("" as never), true);
      expect(found.ok && (await bytesOf(await kernel.blobs.read(found.value)))).toEqual(bytes);
    }
  });

  it("and deletes of a blob leave a manifest whole, or absent", async () => {
    const kernel = createKernel();
    for (let round = 0; round < 10; round += 1) {
      const repository = newRepository();
      const blob = await pushBlob(kernel, repository, fresh());
      const [pushed, removed] = await Promise.all([
        pushManifest(kernel, repository, imageOf([blob.digest]), "v1"),
        kernel.blobs.remove(repository, blob.digest),
      ]);
      expect(pushed.ok).toBe(!removed.ok);
      expect(await expectWhole(kernel, repository, blob)).toBe(pushed.ok);
    }
  });
});
