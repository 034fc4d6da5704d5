import { describe, expect, it } from "vitest";
import { inOrder } from "./in-order.ts";

async function* listed<T>(...entries: (T | Error)[]): AsyncGenerator<T> {
  for (const entry of entries) {
    if (entry instanceof Error) throw entry;
    yield entry;
  }
}

async function collected<T>(results: AsyncIterable<T>): Promise<{ results: T[]; error?: unknown }> {
  const all: T[] = [];
  try {
    for await (const result of results) all.push(result);
    return { results: all };
  } catch (error) {
    return { results: all, error };
  }
}

/** Takes `entry` turns of the event loop. */
async function slow(entry: number): Promise<number> {
  for (let turn = 0; turn < entry; turn += 1) await new Promise((resolve) => setTimeout(resolve));
  return entry;
}

describe("inOrder", () => {
  it("yields in the order of the entries, at most so many at once", async () => {
    let running = 0;
    let most = 0;
    const work = async (entry: number) => {
      most = Math.max(most, ++running);
      await slow(entry);
      running -= 1;
      return entry;
    };
    expect(await collected(inOrder(listed(9, 1, 5, 0, 3), 3, work))).toEqual({ results: [9, 1, 5, 0, 3] });
    expect(most).toBe(3);
  });

  it("yields what is done while the list takes its time", async () => {
    let go = (): void => {};
    const waits = new Promise<void>((resolve) => (go = resolve));
    async function* entries() {
      yield 1;
      await waits;
      yield 2;
    }
    const results = inOrder(entries(), 3, slow);
    expect(await results.next()).toEqual({ done: false, value: 1 });
    go();
    expect(await results.next()).toEqual({ done: false, value: 2 });
    expect(await results.next()).toMatchObject({ done: true });
  });

  it.each([
    ["the list", listed(3, 1, new Error("broken")), slow],
    [
      "the work",
      listed(3, 1, 0, 2),
      async (entry: number) => (entry === 0 ? Promise.reject(new Error("broken")) : slow(entry)),
    ],
  ])("yields what came before an error of %s", async (_whose, entries, work) => {
    const { results, error } = await collected(inOrder(entries, 4, work));
    expect(results).toEqual([3, 1]);
    expect(error).toEqual(new Error("broken"));
  });

  it("begins nothing more for whoever goes away, and ends the list", async () => {
    const begun: number[] = [];
    let isEnded = false;
    async function* entries() {
      try {
        for (let entry = 0; ; entry += 1) yield entry;
      } finally {
        isEnded = true;
      }
    }
    for await (const _ of inOrder(entries(), 2, async (entry) => void begun.push(entry))) break;
    expect(begun.length).toBeLessThanOrEqual(3);
    expect(isEnded).toBe(true);
  });
});
