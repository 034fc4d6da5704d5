import { describe, expect, it } from "vitest";
import { digestBytes } from "../../src/oci/index.ts";
import type { DigestAlgorithm } from "../../src/oci/index.ts";
import type { BlobStore, Part } from "../../src/content/blob-store.ts";
import { newObjectKey } from "../../src/content/object-key.ts";
import { brokenStream, bytesOf, sameBytes, someBytes, streamOf } from "./bytes.ts";

const SHORT = someBytes(1000);
const LONG = someBytes(300_000, 2);
const WRONG = digestBytes("sha256", new Uint8Array([1]));

/** What every `BlobStore` must do. */
export function describeBlobStore(name: string, store: BlobStore): void {
  const key = () => newObjectKey(Date.now());
  const put = async (bytes: Uint8Array, algorithm: DigestAlgorithm = "sha256") => {
    const made = key();
    const digest = digestBytes(algorithm, bytes);
    expect(await store.write(made, bytes, { size: bytes.byteLength, digest })).toEqual({ ok: true, value: undefined });
    return made;
  };
  const expectNothing = async (at: string) => {
    expect(await store.stat(at)).toBeUndefined();
    expect(await store.read(at)).toBeUndefined();
  };

  describe(`${name}: reading`, () => {
    it("knows what is not there", async () => {
      await expectNothing(key());
      expect(await store.read(key(), { offset: 0, length: 1 })).toBeUndefined();
    });

    it.each([
      [0, 1],
      [0, SHORT.byteLength],
      [999, 1],
      [10, 90],
      [500, 500],
    ])("a range: %i, %i bytes", async (offset, length) => {
      const bytes = await bytesOf(await store.read(await put(SHORT), { offset, length }));
      expect(bytes).toEqual(SHORT.slice(offset, offset + length));
    });

    it("a range of nothing", async () => {
      expect(await bytesOf(await store.read(await put(SHORT), { offset: 5, length: 0 }))).toEqual(new Uint8Array(0));
    });

    it("an object of nothing", async () => {
      const made = await put(new Uint8Array(0));
      expect(await store.stat(made)).toBe(0);
      expect(await bytesOf(await store.read(made))).toEqual(new Uint8Array(0));
    });
  });

  describe(`${name}: writing`, { timeout: 60_000 }, () => {
    it.each<[string, DigestAlgorithm]>([
      ["bytes", "sha256"],
      ["bytes", "sha512"],
      ["a stream", "sha256"],
      ["a stream", "sha512"],
    ])("%s with %s", async (form, algorithm) => {
      const made = key();
      const expected = { size: LONG.byteLength, digest: digestBytes(algorithm, LONG) };
      const written = await store.write(made, form === "bytes" ? LONG : streamOf(LONG), expected);
      expect(written).toEqual({ ok: true, value: undefined });
      expect(await store.stat(made)).toBe(LONG.byteLength);
      expect(sameBytes(await bytesOf(await store.read(made)), LONG)).toBe(true);
    });

    it.each(["bytes", "a stream"])("%s of another digest leave nothing", async (form) => {
      const made = key();
      const body = form === "bytes" ? LONG : streamOf(LONG);
      const written = await store.write(made, body, { size: LONG.byteLength, digest: WRONG });
      expect(written).toMatchObject({ ok: false, error: { reason: "digest-mismatch" } });
      await expectNothing(made);
    });

    it.each([
      ["fewer", LONG.byteLength + 1],
      ["more", LONG.byteLength - 1],
    ])("a stream of %s bytes than said leaves nothing", async (_, size) => {
      const made = key();
      const written = await settled(store.write(made, streamOf(LONG), { size, digest: digestBytes("sha256", LONG) }));
      expect(written).toMatchObject({ ok: false, error: { reason: "size-mismatch" } });
      await expectNothing(made);
    });

    it("a stream that breaks off leaves nothing", async () => {
      const made = key();
      const expected = { size: LONG.byteLength, digest: digestBytes("sha256", LONG) };
      const body = brokenStream(LONG.slice(0, 1000), LONG.byteLength);
      expect((await settled(store.write(made, body, expected))).ok).toBe(false);
      await expectNothing(made);
    });
  });

  describe(`${name}: in parts`, () => {
    const { partSize = 70_000 } = store.multipart;
    const lengths = [partSize, partSize, 12_345];

    it("joins equal parts and a short last one", async () => {
      const parts = lengths.map((length, index) => someBytes(length, index + 1));
      const write = await store.multipart.create(key());
      const stored: Part[] = [];
      for (const [index, part] of parts.entries()) {
        stored.push(await store.multipart.writePart(write, index + 1, index === 1 ? streamOf(part) : part));
      }
      const made = await store.multipart.complete(write, stored);
      const whole = new Uint8Array(await new Blob(parts).arrayBuffer());
      expect(await store.stat(made)).toBe(whole.byteLength);
      expect(sameBytes(await bytesOf(await store.read(made)), whole)).toBe(true);
      const [offset, length] = [partSize - 10, partSize + 20];
      const range = await bytesOf(await store.read(made, { offset, length }));
      expect(sameBytes(range, whole.slice(offset, offset + length))).toBe(true);
      await store.delete([made]);
      await expectNothing(made);
    });

    it("makes an object of a single part", async () => {
      const write = await store.multipart.create(key());
      const made = await store.multipart.complete(write, [await store.multipart.writePart(write, 1, SHORT)]);
      expect(await bytesOf(await store.read(made))).toEqual(SHORT);
    });

    it("writes a part anew", async () => {
      const write = await store.multipart.create(key());
      await store.multipart.writePart(write, 1, LONG);
      const made = await store.multipart.complete(write, [await store.multipart.writePart(write, 1, SHORT)]);
      expect(await bytesOf(await store.read(made))).toEqual(SHORT);
    });

    it("abandons what was written, and again", async () => {
      const write = await store.multipart.create(key());
      const parts = [await store.multipart.writePart(write, 1, SHORT)];
      await store.multipart.abort(write, parts);
      await store.multipart.abort(write, parts);
      await expectNothing(write.key);
      await expect(store.multipart.complete(write, [...parts, { number: 2, tag: "none" }])).rejects.toThrow();
    });

    it("abandons what has no part yet", async () => {
      const write = await store.multipart.create(key());
      await store.multipart.abort(write, []);
      await expectNothing(write.key);
    });
  });

  describe(`${name}: deleting and listing`, () => {
    it("deletes what is there, and what is not", async () => {
      const [one, other] = [await put(SHORT), await put(LONG)];
      await store.delete([one, key(), one]);
      await expectNothing(one);
      expect(await store.stat(other)).toBe(LONG.byteLength);
      await store.delete([]);
    });

    it("lists every key, page by page", async () => {
      const made = new Set<string>();
      for (let index = 0; index < 12; index += 1) made.add(await put(new Uint8Array([index])));
      const listed: string[] = [];
      let cursor: string | undefined;
      let pages = 0;
      do {
        const page = await store.list(cursor);
        listed.push(...page.keys);
        cursor = page.cursor;
        pages += 1;
      } while (cursor !== undefined && pages < 1000);
      expect(cursor).toBeUndefined();
      expect(new Set(listed).size).toBe(listed.length);
      expect(made.difference(new Set(listed))).toEqual(new Set());
    });
  });
}

type Written = Awaited<ReturnType<BlobStore["write"]>>;

/** A store may throw when the body itself failed: there is nobody left to tell. */
async function settled(written: Promise<Written>): Promise<Written | { readonly ok: false; readonly error: unknown }> {
  return written.catch((error: unknown) => ({ ok: false, error }));
}
