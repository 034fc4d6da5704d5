import { digestBytes } from "../oci/index.ts";
import { describe, expect, test } from "vitest";
import { Retries, Unavailable } from "../platform/index.ts";
import { R2BlobStore } from "./r2-blob-store.ts";

const INTERNAL = new Error("put: We encountered an internal error. Please try again. (10001)");
const bytes = new TextEncoder().encode("bytes");
const expected = { size: bytes.length, digest: digestBytes("sha256", bytes) };

/** A bucket whose first calls fail. */
function failing(times: number, failure = INTERNAL) {
  let calls = 0;
  const call = async (): Promise<{ size: number }> => {
    calls += 1;
    if (calls <= times) throw failure;
    return { size: bytes.length };
  };
  const bucket = { head: call, get: call, put: call, delete: call } as unknown as R2Bucket;
  const retries = new Retries({ clock: () => 0, wait: async () => {}, random: () => 0 });
  return { store: new R2BlobStore(bucket, retries), calls: () => calls };
}

describe("a bucket that fails for a moment", () => {
  test("is asked again for what can be sent again", async () => {
    const { store, calls } = failing(2);
    expect(await store.stat("a")).toBe(bytes.length);
    expect(calls()).toBe(3);
    const writing = failing(1);
    expect((await writing.store.write("a", bytes, expected)).ok).toBe(true);
    expect(writing.calls()).toBe(2);
  });

  test("is not given a stream again, which is there once", async () => {
    const { store, calls } = failing(1);
    await expect(store.write("a", new Blob([bytes]).stream(), expected)).rejects.toBeInstanceOf(Unavailable);
    expect(calls()).toBe(1);
  });

  test("is not asked again for what is wrong", async () => {
    const { store, calls } = failing(9, new Error("put: The specified key is too long. (10016)"));
    await expect(store.write("a", bytes, expected)).rejects.toThrow("10016");
    expect(calls()).toBe(1);
  });
});
