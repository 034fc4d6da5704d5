import { beforeEach, describe, expect, it } from "vitest";
import { type Digest, digestOf, parseRepositoryName, type RepositoryName } from "../oci/index.ts";
import type { LinkedBlob } from "./blob-link-store.ts";
import { ReadCache } from "./read-cache.ts";

const STALENESS = 1000;
const REPOSITORY = name("team/app");
const OTHER = name("team/web");

let now: number;
let reads: number;
let cache: ReadCache;

beforeEach(() => {
  now = 1_000_000;
  reads = 0;
  cache = new ReadCache(() => now, STALENESS, 10);
});

describe("a lookup", () => {
  it("is answered from memory until it is stale", async () => {
    await look("first");
    now += STALENESS - 1;
    expect(await look("second")).toBe("first");
    now += 1;
    expect(await look("third")).toBe("third");
    expect(reads).toBe(2);
  });

  it("is as old as the moment it was asked, not answered", async () => {
    await cache.lookup(REPOSITORY, "x", false, async () => {
      now += STALENESS;
      return blob("slow");
    });
    expect(await look("new")).toBe("new");
  });

  it("may lag, unless it is asked fresh or the repository was written to in this isolate", async () => {
    const lags: boolean[] = [];
    const ask = (fresh: boolean, repository = REPOSITORY) =>
      cache.lookup(repository, "y", fresh, async (mayLag) => {
        lags.push(mayLag);
        return undefined;
      });
    await ask(false);
    await ask(true);
    cache.forget(REPOSITORY);
    await ask(false);
    now += 60 * 60 * 1000;
    await ask(false);
    await ask(false, OTHER);
    cache = new ReadCache(() => now, 0, 10);
    await ask(false);
    expect(lags).toEqual([true, false, false, false, true, false]);
  });

  it("is read anew when asked fresh, and that answer is remembered", async () => {
    await look("first");
    expect(await look("second", { fresh: true })).toBe("second");
    expect(await look("third")).toBe("second");
  });

  it("is told from others by name and by repository", async () => {
    await look("a", { name: "a" });
    await look("b", { name: "b" });
    await look("c", { name: "a", repository: OTHER });
    expect(await look("-", { name: "a" })).toBe("a");
    expect(await look("-", { name: "b" })).toBe("b");
    expect(await look("-", { name: "a", repository: OTHER })).toBe("c");
  });

  it("that finds nothing is not remembered, and takes back what was", async () => {
    expect(await look(undefined)).toBeUndefined();
    expect(await look("pushed")).toBe("pushed");
    expect(await look(undefined, { fresh: true })).toBeUndefined();
    expect(await look("again")).toBe("again");
    expect(reads).toBe(4);
  });

  it("that fails is not remembered", async () => {
    await expect(cache.lookup(REPOSITORY, "x", false, () => Promise.reject(new Error("down")))).rejects.toThrow("down");
    expect(await look("up")).toBe("up");
  });

  it("is always a read without staleness", async () => {
    cache = new ReadCache(() => now, 0, 10);
    expect([await look("first"), await look("second")]).toEqual(["first", "second"]);
  });
});

describe("a write", () => {
  it("makes the repository's lookups forgotten, and no other's", async () => {
    await look("old");
    await look("kept", { repository: OTHER });
    cache.forget(REPOSITORY);
    expect(await look("new")).toBe("new");
    expect(await look("-", { repository: OTHER })).toBe("kept");
  });

  it("makes a lookup that is on its way not remembered", async () => {
    let answer: (value: LinkedBlob) => void = () => {};
    const slow = cache.lookup(REPOSITORY, "x", false, () => new Promise<LinkedBlob>((resolve) => (answer = resolve)));
    cache.forget(REPOSITORY);
    answer(blob("old"));
    expect((await slow)?.key).toBe("old");
    expect(await look("new")).toBe("new");
  });

  it("is not undone by a lookup that was on its way when a newer one was remembered", async () => {
    let answer: (value: LinkedBlob) => void = () => {};
    const slow = cache.lookup(REPOSITORY, "x", false, () => new Promise<LinkedBlob>((resolve) => (answer = resolve)));
    cache.forget(REPOSITORY);
    await look("new");
    answer(blob("old"));
    await slow;
    expect(await look("newest")).not.toBe("old");
  });

  it("is remembered however many repositories are written to", async () => {
    await look("old");
    const other = await look("other", { repository: OTHER });
    cache.forget(REPOSITORY);
    for (let index = 0; index < 20_001; index += 1) cache.forget(name(`many/r${index}`));
    expect(other).toBe("other");
    expect(await look("new")).toBe("new");
    expect(await look("newer", { repository: OTHER })).toBe("newer");
  });
});

describe("a list", () => {
  const list = async (page: string, length: number) =>
    cache.lookup(
      REPOSITORY,
      page,
      false,
      async () => Array.from({ length: ((reads += 1), length) }),
      undefined,
      (names) => names.length,
    );

  it("counts for as many lookups as it has entries, and one that is too long is not remembered", async () => {
    await list("short", 100);
    await list("short", 100);
    expect(reads).toBe(1);
    await list("long", 20_001);
    await list("long", 20_001);
    expect(reads).toBe(3);
    await list("nearly all", 19_950);
    await list("short", 100);
    expect(reads).toBe(5);
  });
});

describe("bytes", () => {
  const [a, b] = [digest("a"), digest("b")];

  it("are kept up to the capacity", () => {
    cache.keepBytes(a, new Uint8Array(6));
    cache.keepBytes(b, new Uint8Array(6));
    expect(cache.bytes(a)).toBeUndefined();
    expect(cache.bytes(b)?.byteLength).toBe(6);
  });

  it("outlive writes and staleness: their name says what they are", () => {
    cache.keepBytes(a, new Uint8Array([1]));
    cache.forget(REPOSITORY);
    now += 10 * STALENESS;
    expect(cache.bytes(a)).toEqual(new Uint8Array([1]));
  });
});

async function look(
  answer: string | undefined,
  {
    name = "x",
    repository = REPOSITORY,
    fresh = false,
  }: { name?: string; repository?: RepositoryName; fresh?: boolean } = {},
): Promise<string | undefined> {
  const found = await cache.lookup(repository, name, fresh, async () => {
    reads += 1;
    return answer === undefined ? undefined : blob(answer);
  });
  return found?.key;
}

function blob(key: string): LinkedBlob {
  return { digest: digest("0"), size: 1, key, orphanedAt: null };
}

function digest(letter: string): Digest {
  return digestOf("sha256", letter.repeat(64));
}

function name(text: string): RepositoryName {
  const parsed = parseRepositoryName(text);
  if (parsed === undefined) throw new Error(`not a repository name: ${text}`);
  return parsed;
}
