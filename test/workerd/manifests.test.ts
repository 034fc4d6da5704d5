import { describe, expect, it } from "vitest";
import { digestBytes } from "../../src/oci/index.ts";
import type { Digest } from "../../src/oci/index.ts";
import { bindings } from "./bindings.ts";
import { someBytes } from "./bytes.ts";
import { createKernel, GRACE, imageOf, indexOf, newRepository, pushBlob, pushManifest } from "./fixture.ts";

const { DB, BLOBS } = bindings;

let seed = 900;
const fresh = () => someBytes(100, (seed += 1));
const absent = () => digestBytes("sha256", fresh());

/** Everything that is stored: rows of every table, and objects. */
async function census(): Promise<Record<string, number>> {
  const counts: Record<string, number> = { objects: (await BLOBS.list()).objects.length };
  for (const table of ["repositories", "blobs", "repository_blobs", "manifests", "manifest_references", "tags"]) {
    counts[table] = (await DB.prepare(`SELECT count(*) AS n FROM ${table}`).first<number>("n")) ?? -1;
  }
  return counts;
}

describe("sparse indexes, where the setting allows them", () => {
  it("may name children that are not there, which stay unknown until they are pushed", async () => {
    const kernel = createKernel({ sparseIndexes: true });
    const repository = newRepository();
    const { digest } = await pushBlob(kernel, repository, fresh());
    const child = await pushManifest(kernel, repository, imageOf([digest]), "child");
    if (!child.ok) throw new Error(child.error.reason);
    const missing = absent();
    const pushed = await pushManifest(kernel, repository, indexOf([child.value.digest, missing]), "v1");
    expect(pushed.ok).toBe(true);
    const find = async (wanted: Digest) => kernel.manifests.find(repository, { kind: "digest", digest: wanted }, true);
    expect(await find(child.value.digest)).toMatchObject({ ok: true });
    expect(await find(missing)).toEqual({ ok: false, error: { reason: "manifest-unknown" } });
  });

  it("but an image needs all of its blobs", async () => {
    const kernel = createKernel({ sparseIndexes: true });
    const pushed = await pushManifest(kernel, newRepository(), imageOf([absent()]), "v1");
    expect(pushed).toMatchObject({ ok: false, error: { reason: "manifest-references-unknown" } });
  });
});

describe("a manifest that is refused stores nothing", () => {
  it.each<[string, () => object, string]>([
    ["missing config", () => imageOf([absent()]), "manifest-references-unknown"],
    ["missing child", () => indexOf([absent()]), "manifest-references-unknown"],
    ["schema 1", () => ({ schemaVersion: 1, name: "a", tag: "b" }), "manifest-invalid"],
    ["no manifest", () => ({ schemaVersion: 2 }), "manifest-invalid"],
    ["too large", () => imageOf([absent()], { padding: "x".repeat(4 * 1024 * 1024) }), "manifest-too-large"],
  ])("%s", async (_, body, reason) => {
    const kernel = createKernel();
    const before = await census();
    const pushed = await pushManifest(kernel, newRepository(), body(), "v1");
    await kernel.settle();
    expect(pushed).toMatchObject({ ok: false, error: { reason } });
    expect(await census()).toEqual(before);
  });

  it("and what the repository held stays as it was", async () => {
    const kernel = createKernel();
    const repository = newRepository();
    const { digest } = await pushBlob(kernel, repository, fresh());
    const first = await pushManifest(kernel, repository, imageOf([digest]), "v1");
    if (!first.ok) throw new Error(first.error.reason);
    const before = await census();
    const missing = absent();
    const second = await pushManifest(kernel, repository, imageOf([digest, missing]), "v1");
    await kernel.settle();
    expect(second).toEqual({ ok: false, error: { reason: "manifest-references-unknown", missing: [missing] } });
    expect(await census()).toEqual(before);
    const found = await kernel.manifests.find(repository, { kind: "tag", tag: "v1" as never }, true);
    expect(found.ok && found.value.digest).toBe(first.value.digest);
  });

  it("even when the blob is in another repository: knowing a digest gives nothing", async () => {
    const kernel = createKernel();
    const { digest } = await pushBlob(kernel, newRepository(), fresh());
    const pushed = await pushManifest(kernel, newRepository(), imageOf([digest]), "v1");
    expect(pushed).toMatchObject({ ok: false, error: { missing: [digest] } });
  });
});

describe("a manifest that is accepted", () => {
  it("may be an index of blobs, as BuildKit's cache is; they are in use then", async () => {
    const kernel = createKernel();
    const repository = newRepository();
    const { digest } = await pushBlob(kernel, repository, fresh());
    expect((await pushManifest(kernel, repository, indexOf([digest]), "cache")).ok).toBe(true);
    expect(await kernel.blobs.remove(repository, digest)).toMatchObject({
      ok: false,
      error: { reason: "blob-in-use" },
    });
    for (let round = 0; round < 3; round += 1) {
      kernel.time.now += GRACE + 1;
      await kernel.collector.sweep();
    }
    expect((await kernel.blobs.find(repository, digest, true)).ok).toBe(true);
  });

  it("needs no foreign layers, and no subject", async () => {
    const kernel = createKernel();
    const repository = newRepository();
    const { digest } = await pushBlob(kernel, repository, fresh());
    const foreign = { mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar", digest: absent(), size: 1 };
    const subject = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest: absent(), size: 1 };
    expect(
      await pushManifest(kernel, repository, imageOf([digest], { layers: [foreign], subject }), "v1"),
    ).toMatchObject({
      ok: true,
      value: { subject: subject.digest },
    });
  });

  it("is the same however often it is pushed, and leaves one object", async () => {
    const kernel = createKernel();
    const repository = newRepository();
    const { digest } = await pushBlob(kernel, repository, fresh());
    const objects = (await census())["objects"] ?? 0;
    const results = await Promise.all(
      Array.from({ length: 6 }, (_, index) => pushManifest(kernel, repository, imageOf([digest]), `v${index % 2}`)),
    );
    await kernel.settle();
    expect(new Set(results.map((result) => result.ok && result.value.digest)).size).toBe(1);
    expect((await census())["objects"]).toBe(objects + 1);
  });

  it("may name the same blob many times", async () => {
    const kernel = createKernel();
    const repository = newRepository();
    const { digest } = await pushBlob(kernel, repository, fresh());
    const many = Array.from({ length: 5000 }, () => digest);
    expect((await pushManifest(kernel, repository, imageOf([digest, ...many]), "v1")).ok).toBe(true);
  });

  it("has one tag of two that are pushed at the same time, and it is whole", async () => {
    const kernel = createKernel();
    const repository = newRepository();
    const digests: Digest[] = [];
    for (let index = 0; index < 5; index += 1) digests.push((await pushBlob(kernel, repository, fresh())).digest);
    const pushed = await Promise.all(
      digests.map((digest) => pushManifest(kernel, repository, imageOf([digest]), "race")),
    );
    const found = await kernel.manifests.find(repository, { kind: "tag", tag: "race" as never }, true);
    if (!found.ok) throw new Error(found.error.reason);
    expect(pushed.map((result) => result.ok && result.value.digest)).toContain(found.value.digest);
    expect((await kernel.manifests.read(found.value)).byteLength).toBe(found.value.size);
  });
});

describe("an index and its child at the same time", () => {
  it("is whole, or refused", async () => {
    const kernel = createKernel();
    for (let round = 0; round < 10; round += 1) {
      const repository = newRepository();
      const { digest } = await pushBlob(kernel, repository, fresh());
      const child = await pushManifest(kernel, repository, imageOf([digest]));
      if (!child.ok) throw new Error(child.error.reason);
      await kernel.manifests.remove(repository, child.value.digest);
      const [again, index] = await Promise.all([
        pushManifest(kernel, repository, imageOf([digest])),
        pushManifest(kernel, repository, indexOf([child.value.digest]), "v1"),
      ]);
      expect(again.ok).toBe(true);
      const found = await kernel.manifests.find(repository, { kind: "tag", tag: "v1" as never }, true);
      expect(found.ok).toBe(index.ok);
    }
  });
});
