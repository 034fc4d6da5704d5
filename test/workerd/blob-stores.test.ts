import { describe, expect, it } from "vitest";
import { digestBytes } from "../../src/oci/index.ts";
import { DiskBlobStore, presigner, R2BlobStore, S3BlobStore } from "../../src/content/index.ts";
import { newObjectKey } from "../../src/content/object-key.ts";
import { bindings, retries } from "./bindings.ts";
import { describeBlobStore } from "./blob-store-contract.ts";
import { bytesOf, someBytes, streamOf } from "./bytes.ts";

const { BLOBS, DISK, NETWORK, TEST_S3 } = bindings;
const reach = ((input: RequestInfo, init?: RequestInit) => NETWORK.fetch(input, init)) as typeof fetch;
const s3 = new S3BlobStore(TEST_S3, reach);

describeBlobStore("R2BlobStore", new R2BlobStore(BLOBS, retries));
describeBlobStore("R2BlobStore, simulated", new R2BlobStore(BLOBS, retries, { simulated: true }));
describeBlobStore("DiskBlobStore", new DiskBlobStore(DISK));
describeBlobStore("S3BlobStore", s3);

describe("presigned addresses", () => {
  const bytes = someBytes(5000);
  const expected = { size: bytes.byteLength, digest: digestBytes("sha256", bytes) };

  it("of S3 serve anyone who has them", async () => {
    const key = newObjectKey(Date.now());
    await s3.write(key, bytes, expected);
    const response = await NETWORK.fetch(await s3.presign(key, 60));
    expect(response.status).toBe(200);
    expect(await bytesOf(response.body ?? undefined)).toEqual(bytes);
  });

  it("of S3 serve ranges, and one object only", async () => {
    const key = newObjectKey(Date.now());
    await s3.write(key, bytes, expected);
    const address = await s3.presign(key, 60);
    const range = await NETWORK.fetch(address, { headers: { range: "bytes=10-19" } });
    expect([range.status, await range.arrayBuffer()]).toEqual([206, bytes.slice(10, 20).buffer]);
    const other = await NETWORK.fetch(address.replace(key, newObjectKey(Date.now())));
    expect(other.status).toBe(403);
    await other.body?.cancel();
  });

  it("are what R2 has with credentials, and files never have", () => {
    expect(new R2BlobStore(BLOBS, retries).presign).toBeUndefined();
    expect(new R2BlobStore(BLOBS, retries, { presign: presigner(TEST_S3) }).presign).toBeTypeOf("function");
    expect("presign" in new DiskBlobStore(DISK)).toBe(false);
  });
});

describe("S3BlobStore", () => {
  it("says what failed, without its credentials", async () => {
    const stranger = new S3BlobStore({ ...TEST_S3, secretAccessKey: "another" }, reach);
    const failed = await stranger.stat("blobs/aa/x").catch(String);
    expect(failed).toMatch(/^Error: s3: HEAD answered 403/);
    expect(failed).not.toContain(TEST_S3.accessKeyId);
  });

  it("says that a bucket may be missing", async () => {
    const lost = new S3BlobStore({ ...TEST_S3, bucket: "no-such-bucket" }, reach);
    await expect(lost.list(undefined)).rejects.toThrow(/bucket/);
    const bytes = someBytes(10);
    const expected = { size: 10, digest: digestBytes("sha256", bytes) };
    await expect(lost.write(newObjectKey(0), streamOf(bytes), expected)).rejects.toThrow();
    // Bytes that went nowhere must not be taken for stored.
    await expect(lost.write(newObjectKey(0), bytes, expected)).rejects.toThrow();
  });
});

describe("DiskBlobStore", () => {
  it("takes other files in its folder for no objects", async () => {
    const disk = new DiskBlobStore(DISK);
    expect((await DISK.fetch("http://disk/notes.txt", { method: "PUT", body: "x" })).ok).toBe(true);
    const { keys } = await disk.list(undefined);
    expect(keys.filter((key) => key.includes("notes"))).toEqual([]);
  });
});
