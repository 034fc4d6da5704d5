import { describe, expect, it } from "vitest";
import { createPlacedBlobs } from "./placed-blobs.ts";

const KEY = { work: "copy", digest: "sha256:a" } as const;
const { signal } = new AbortController();

describe("createPlacedBlobs", () => {
  it("remembers where blobs are, the last so many", () => {
    const placed = createPlacedBlobs();
    for (let index = 0; index <= 10_000; index++) placed.add("origin", `${index}`, "repository");
    expect(placed.where("origin", "10000")).toBe("repository");
    expect(placed.where("other", "10000")).toBeUndefined();
    expect(placed.where("origin", "0")).toBeUndefined();
  });

  it("lets one work under a key at a time, also after a failure", async () => {
    const placed = createPlacedBlobs();
    let working = 0;
    const work = async () => {
      expect(++working).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 1));
      working--;
      throw new Error("failed");
    };
    const all = await Promise.allSettled([1, 2, 3].map(() => placed.exclusively(KEY, signal, work)));
    expect(all.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  });

  it("does once what succeeds", async () => {
    const placed = createPlacedBlobs();
    let tries = 0;
    const work = async () => {
      if (++tries === 1) throw new Error("failed");
    };
    await expect(placed.once(KEY, signal, work)).rejects.toThrow("failed");
    await Promise.all([placed.once(KEY, signal, work), placed.once(KEY, signal, work)]);
    expect(tries).toBe(2);
  });
});
