import * as fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { PartCutter, type PartSink } from "./part-cutter.ts";
import { PartMemory, type PartMemoryLimits } from "./part-memory.ts";

const PART = 7;

/** Bytes, the lengths of the chunks in which they arrive, and whether there is memory for them. */
const chunked = fc.uint8Array({ maxLength: 5 * PART + 3 }).chain((bytes) =>
  fc.record({
    bytes: fc.constant(bytes),
    cuts: fc
      .array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 20 })
      .map((cuts) => cuts.sort((a, b) => a - b)),
    parts: fc.integer({ min: 0, max: 3 }),
    aside: fc.uint8Array({ maxLength: PART - 1 }),
  }),
);

afterEach(() => {
  vi.useRealTimers();
});

describe("PartCutter", () => {
  it("makes the same parts and tail of the same bytes, however they are split, with memory or without", async () => {
    await fc.assert(
      fc.asyncProperty(chunked, async ({ bytes, cuts, parts, aside }) => {
        const store = new Store(aside);
        await cutter(store, limited(parts)).receive(each(split(bytes, cuts)), () => {});
        const all = Uint8Array.of(...aside, ...bytes);
        const whole = Math.floor(all.length / PART);
        expect(store.parts).toEqual(
          Array.from({ length: whole }, (_, index) => all.slice(index * PART, (index + 1) * PART)),
        );
        expect(store.tail).toEqual(all.slice(whole * PART));
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it("sets nothing aside of what fills a part in memory", async () => {
    const store = new Store();
    await cutter(store).receive(each([new Uint8Array(3 * PART)]), () => {});
    expect([store.parts.length, store.setAsides]).toEqual([3, 0]);
  });

  it("stores a part while the next one fills, and never more than that", async () => {
    const running: (() => void)[] = [];
    let most = 0;
    const sink: PartSink = {
      store: () => {
        const stored = new Promise<void>((resolve) => running.push(resolve));
        most = Math.max(most, running.length);
        return stored;
      },
      setAside() {},
    };
    const taken: number[] = [];
    const chunks = [1, 2, 3].map((byte) => new Uint8Array(PART).fill(byte));
    const received = cutter(sink).receive(each(chunks), (chunk) => taken.push(chunk[0] ?? 0));
    for (const count of [2, 3, 3]) {
      await turn();
      expect(taken).toHaveLength(count);
      running.shift()?.();
    }
    await received;
    expect(most).toBe(1);
  });

  it("reports a part that could not be stored, and gives its memory back", async () => {
    const memory = limited(1);
    for (const length of [PART, 3 * PART]) {
      const sink: PartSink = { store: () => Promise.reject(new Error("disk full")), setAside() {} };
      const received = cutter(sink, memory).receive(each([new Uint8Array(length)]), () => {});
      await expect(received).rejects.toThrow("disk full");
      const buffer = await memory.borrow();
      expect(buffer).toBeDefined();
      buffer?.release();
    }
  });

  it("keeps what came of chunks that break off, and says why", async () => {
    const store = new Store();
    async function* broken() {
      yield Uint8Array.of(1, 2, 3);
      await turn();
      throw new Error("gone");
    }
    const { interrupted } = await cutter(store).receive(broken(), () => {});
    expect(interrupted).toMatchObject({ message: "gone" });
    expect(store.tail).toEqual(Uint8Array.of(1, 2, 3));
  });

  it("does not keep a chunk's memory", async () => {
    for (const parts of [0, 1]) {
      const store = new Store();
      const chunk = new Uint8Array(3);
      async function* reused() {
        for (const byte of [1, 2, 3, 4]) yield await Promise.resolve(chunk.fill(byte));
      }
      await cutter(store, limited(parts)).receive(reused(), () => {});
      expect(store.parts).toEqual([Uint8Array.of(1, 1, 1, 2, 2, 2, 3)]);
      expect(store.tail).toEqual(Uint8Array.of(3, 3, 4, 4, 4));
    }
  });

  it("takes memory back from those who trickle, keeping what they sent, and goes on without", async () => {
    vi.useFakeTimers();
    const memory = limited(1);
    const store = new Store();
    const trickle = new Trickle();
    const received = cutter(store, memory).receive(trickle.chunks(), () => {});
    await trickle.send(Uint8Array.of(1, 2, 3));
    const waiting = memory.borrow();
    expect(store.tail).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(store.tail).toEqual(Uint8Array.of(1, 2, 3));
    await vi.advanceTimersByTimeAsync(1000);
    const quick = await waiting;
    expect(quick).toBeDefined();
    for (let byte = 4; byte <= 9; byte += 1) await trickle.send(Uint8Array.of(byte));
    await vi.advanceTimersByTimeAsync(1);
    expect(store.parts).toEqual([Uint8Array.of(1, 2, 3, 4, 5, 6, 7)]);
    quick?.release();
    trickle.end();
    await received;
    expect(store.tail).toEqual(Uint8Array.of(8, 9));
  });

  it("finishes many uploads with little memory", async () => {
    // Each upload holds one buffer and wants a second one: two must not wait for each other for good.
    const memory = new PartMemory(PART, Date.now, { parts: 2, partPatience: 5000 });
    const upload = async (id: number) => {
      const store = new Store();
      await cutter(store, memory).receive(each([new Uint8Array(3 * PART + 1).fill(id)]), () => {});
      return store.parts.every((part) => part.every((byte) => byte === id)) && store.tail.length === 1;
    };
    const all = Promise.all(Array.from({ length: 8 }, (_, id) => upload(id)));
    expect(await all).toEqual(Array.from({ length: 8 }, () => true));
  });
});

/** Keeps parts, and what was set aside of the one that is not whole. */
class Store implements PartSink {
  readonly parts: Uint8Array[] = [];
  tail: Uint8Array;
  setAsides = 0;

  constructor(tail = new Uint8Array(0)) {
    this.tail = tail;
  }

  async store(rest: Uint8Array): Promise<void> {
    await turn();
    this.parts.push(Uint8Array.of(...this.tail, ...rest));
    this.tail = new Uint8Array(0);
  }

  setAside(bytes: Uint8Array): void {
    this.setAsides += 1;
    this.tail = Uint8Array.of(...this.tail, ...bytes);
  }
}

/** Chunks that come when they are sent. */
class Trickle {
  #next = Promise.withResolvers<Uint8Array | undefined>();

  async send(chunk: Uint8Array | undefined): Promise<void> {
    const { resolve } = this.#next;
    this.#next = Promise.withResolvers();
    resolve(chunk);
    await vi.advanceTimersByTimeAsync(1);
  }

  end(): void {
    void this.send(undefined);
  }

  async *chunks(): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      const chunk = await this.#next.promise;
      if (chunk === undefined) return;
      yield chunk;
    }
  }
}

function limited(parts: number, more: PartMemoryLimits = {}): PartMemory {
  return new PartMemory(PART, Date.now, { parts, partPatience: parts === 0 ? 0 : 60_000, ...more });
}

function cutter(sink: PartSink & { readonly tail?: Uint8Array }, memory = limited(3)): PartCutter {
  return new PartCutter(memory, sink, Date.now, sink.tail?.byteLength);
}

async function* each(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void> {
  for (const chunk of chunks) yield await Promise.resolve(chunk);
}

function split(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  return [0, ...cuts].map((start, index) => bytes.slice(start, cuts[index] ?? bytes.length));
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
