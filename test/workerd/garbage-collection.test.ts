import { describe, expect, it } from "vitest";
import { newObjectKey } from "../../src/content/object-key.ts";
import { bytesOf, someBytes } from "./bytes.ts";
import {
  createKernel,
  GRACE,
  imageOf,
  type Kernel,
  newRepository,
  pushBlob,
  pushManifest,
  UPLOAD_LIFETIME,
} from "./fixture.ts";

let seed = 100;
/** Bytes that no other test pushes. */
const fresh = () => someBytes(200, (seed += 1));

/** Lets the grace period pass and sweeps once. */
async function sweepLater({ time, collector }: Kernel): Promise<void> {
  time.now += GRACE + 1;
  await collector.sweep();
}

describe("an orphan", () => {
  it("is unlinked, condemned and deleted, one grace period each", async () => {
    const kernel = createKernel();
    const repository = newRepository();
    const { digest, key } = await pushBlob(kernel, repository, fresh());
    await kernel.collector.sweep();
    expect((await kernel.blobs.find(repository, digest, true)).ok).toBe(true);
    await sweepLater(kernel);
    expect((await kernel.blobs.find(repository, digest, true)).ok).toBe(false);
    await kernel.collector.sweep();
    expect(await kernel.store.stat(key)).toBe(200);
    await sweepLater(kernel);
    expect(await kernel.store.stat(key)).toBeUndefined();
    expect(await kernel.garbage.unknownKeys([key])).toEqual([key]);
  });

  it("is kept for another grace period when a client is told that it is there", async () => {
    const kernel = createKernel();
    const repository = newRepository();
    const { digest } = await pushBlob(kernel, repository, fresh());
    kernel.time.now += GRACE - 1;
    expect((await kernel.blobs.find(repository, digest, true)).ok).toBe(true);
    await kernel.settle();
    kernel.time.now += GRACE - 1;
    await kernel.collector.sweep();
    expect((await kernel.blobs.find(repository, digest, true)).ok).toBe(true);
  });

  it("in one repository is none in another that uses it", async () => {
    const kernel = createKernel();
    const [user, other] = [newRepository(), newRepository()];
    const { digest } = await pushBlob(kernel, user, fresh());
    expect((await pushManifest(kernel, user, imageOf([digest]), "v1")).ok).toBe(true);
    expect(await kernel.blobs.mount(other, digest, user, () => true)).toBe(true);
    for (let round = 0; round < 4; round += 1) await sweepLater(kernel);
    expect((await kernel.blobs.find(other, digest, true)).ok).toBe(false);
    const kept = await kernel.blobs.find(user, digest, true);
    expect(kept.ok && (await bytesOf(await kernel.blobs.read(kept.value))).byteLength).toBe(200);
  });
});

describe("is kept once it is taken up", () => {
  /** Sweeps after `stages` grace periods, lets `adopt` take the blob up, and sees that it then stays. */
  const adopted = async (
    stages: number,
    adopt: (kernel: Kernel, repository: ReturnType<typeof newRepository>, bytes: Uint8Array) => Promise<void>,
  ) => {
    const kernel = createKernel();
    const repository = newRepository();
    const bytes = fresh();
    const { digest } = await pushBlob(kernel, repository, bytes);
    for (let stage = 0; stage < stages; stage += 1) await sweepLater(kernel);
    await adopt(kernel, repository, bytes);
    expect((await pushManifest(kernel, repository, imageOf([digest]), "v1")).ok).toBe(true);
    await kernel.settle();
    for (let round = 0; round < 4; round += 1) await sweepLater(kernel);
    const kept = await kernel.blobs.find(repository, digest, true);
    expect(kept.ok && (await bytesOf(await kernel.blobs.read(kept.value)))).toEqual(bytes);
  };

  it("as an orphan, by a manifest", () => adopted(0, async () => {}));

  it.each([
    ["an orphan", 0],
    ["condemned", 1],
    ["deleted", 2],
  ])("as %s, by a push", (_, stages) =>
    adopted(stages, async (kernel, repository, bytes) => {
      await pushBlob(kernel, repository, bytes);
    }),
  );

  it("as an orphan, by a mount to a repository that uses it", async () => {
    const kernel = createKernel();
    const [from, to] = [newRepository(), newRepository()];
    const { digest } = await pushBlob(kernel, from, fresh());
    kernel.time.now += GRACE + 1;
    expect(await kernel.blobs.mount(to, digest, from, () => true)).toBe(true);
    expect((await pushManifest(kernel, to, imageOf([digest]), "v1")).ok).toBe(true);
    for (let round = 0; round < 4; round += 1) await sweepLater(kernel);
    expect((await kernel.blobs.find(from, digest, true)).ok).toBe(false);
    expect((await kernel.blobs.find(to, digest, true)).ok).toBe(true);
  });

  it("but cannot be mounted when it is condemned: no repository holds it", async () => {
    const kernel = createKernel();
    const [from, to] = [newRepository(), newRepository()];
    const { digest } = await pushBlob(kernel, from, fresh());
    await sweepLater(kernel);
    expect(await kernel.blobs.mount(to, digest, from, () => true)).toBe(false);
    expect(await kernel.blobs.mount(to, digest, undefined, () => true)).toBe(false);
  });
});

describe("what is in use", () => {
  it("stays for good, and goes when its manifest does", async () => {
    const kernel = createKernel();
    const repository = newRepository();
    const blobs = [await pushBlob(kernel, repository, fresh()), await pushBlob(kernel, repository, fresh())];
    const image = imageOf(blobs.map(({ digest }) => digest));
    const pushed = await pushManifest(kernel, repository, image, "v1");
    if (!pushed.ok) throw new Error(pushed.error.reason);
    const removed = await kernel.blobs.remove(repository, blobs[1]?.digest ?? pushed.value.digest);
    expect(removed).toMatchObject({ ok: false, error: { reason: "blob-in-use", manifest: pushed.value.digest } });
    for (let round = 0; round < 5; round += 1) await sweepLater(kernel);
    for (const { digest } of blobs) expect((await kernel.blobs.find(repository, digest, true)).ok).toBe(true);
    const reference = { kind: "digest", digest: pushed.value.digest } as const;
    const found = await kernel.manifests.find(repository, reference, true);
    if (!found.ok) throw new Error(found.error.reason);

    expect((await kernel.manifests.remove(repository, pushed.value.digest)).ok).toBe(true);
    for (let round = 0; round < 3; round += 1) await sweepLater(kernel);
    for (const { key } of [...blobs, found.value]) expect(await kernel.store.stat(key)).toBeUndefined();
  });

  it("by two manifests stays with the second", async () => {
    const kernel = createKernel();
    const repository = newRepository();
    const [config, layer] = [await pushBlob(kernel, repository, fresh()), await pushBlob(kernel, repository, fresh())];
    const first = await pushManifest(kernel, repository, imageOf([config.digest, layer.digest]), "v1");
    await pushManifest(kernel, repository, imageOf([config.digest]), "v2");
    if (!first.ok) throw new Error(first.error.reason);
    await kernel.manifests.remove(repository, first.value.digest);
    for (let round = 0; round < 3; round += 1) await sweepLater(kernel);
    expect((await kernel.blobs.find(repository, config.digest, true)).ok).toBe(true);
    expect((await kernel.blobs.find(repository, layer.digest, true)).ok).toBe(false);
  });

  it("by two repositories stays with the second: a manifest that both hold", async () => {
    const kernel = createKernel();
    const [first, second] = [newRepository(), newRepository()];
    const bytes = fresh();
    const { digest } = await pushBlob(kernel, first, bytes);
    await pushBlob(kernel, second, bytes);
    const image = imageOf([digest]);
    const pushed = await pushManifest(kernel, first, image, "v1");
    expect((await pushManifest(kernel, second, image, "v1")).ok).toBe(true);
    if (!pushed.ok) throw new Error(pushed.error.reason);
    await kernel.settle();
    const reference = { kind: "digest", digest: pushed.value.digest } as const;
    expect((await kernel.manifests.remove(first, pushed.value.digest)).ok).toBe(true);
    for (let round = 0; round < 4; round += 1) await sweepLater(kernel);
    expect((await kernel.manifests.find(first, reference, true)).ok).toBe(false);
    const kept = await kernel.manifests.find(second, reference, true);
    if (!kept.ok) throw new Error(kept.error.reason);
    expect(await kernel.store.stat(kept.value.key)).toBe(kept.value.size);
  });

  it("stays although it was pushed after the manifest that may do without it", async () => {
    const kernel = createKernel();
    const repository = newRepository();
    const config = await pushBlob(kernel, repository, fresh());
    const bytes = fresh();
    const { digest } = await pushBlob(kernel, newRepository(), bytes);
    const foreign = { mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar", digest, size: 200 };
    expect((await pushManifest(kernel, repository, imageOf([config.digest], { layers: [foreign] }), "v1")).ok).toBe(
      true,
    );
    await pushBlob(kernel, repository, bytes);
    for (let round = 0; round < 3; round += 1) await sweepLater(kernel);
    expect((await kernel.blobs.find(repository, digest, true)).ok).toBe(true);
  });
});

describe("reconciliation", () => {
  it("deletes old objects that no row names, and nothing else", async () => {
    const kernel = createKernel();
    const { time, store, collector } = kernel;
    const used = await pushBlob(kernel, newRepository(), fresh());
    const old = newObjectKey(time.now);
    time.now += 2 * UPLOAD_LIFETIME;
    const young = newObjectKey(time.now);
    time.now += 1;
    const foreign = "blobs/zz/not-ours";
    for (const key of [old, young, foreign, `${young}.1`]) {
      const bytes = fresh();
      const object = { size: bytes.byteLength, digest: (await pushBlob(kernel, newRepository(), bytes)).digest };
      expect((await store.write(key, bytes, object)).ok).toBe(true);
    }
    let cursor = await collector.reconcile(undefined);
    while (cursor !== undefined) cursor = await collector.reconcile(cursor);
    expect(await store.stat(old)).toBeUndefined();
    for (const key of [used.key, young, foreign, `${young}.1`]) expect(await store.stat(key), key).toBe(200);
  });

  it("leaves an object that was written when the upload began until the upload cannot be closed any more", async () => {
    const { time, store, collector } = createKernel();
    const bytes = fresh();
    const key = newObjectKey(time.now);
    const { digest } = await pushBlob(createKernel(), newRepository(), bytes);
    await store.write(key, bytes, { size: bytes.byteLength, digest });
    time.now += UPLOAD_LIFETIME + 1;
    await collector.reconcile(undefined);
    expect(await store.stat(key)).toBe(200);
  });
});
