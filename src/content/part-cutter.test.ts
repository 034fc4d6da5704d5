import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PartBuffers } from "./part-buffers.ts";
import { PartCutter } from "./part-cutter.ts";

const PART = 7;

/** Bytes, and the lengths of the chunks in which they arrive. */
const chunked = fc
  .uint8Array({ maxLength: 5 * PART + 3 })
  .chain((bytes) =>
    fc
      .array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 20 })
      .map((cuts) => ({ bytes, cuts: cuts.sort((a, b) => a - b) })),
  );

describe("PartCutter", () => {
  it("makes the same parts and tail of the same bytes, however they are split", async () => {
    await fc.assert(
      fc.asyncProperty(chunked, async ({ bytes, cuts }) => {
        const { parts, tail } = await cut(split(bytes, cuts));
        const whole = Math.floor(bytes.length / PART);
        expect(parts).toEqual(
          Array.from({ length: whole }, (_, index) => bytes.slice(index * PART, (index + 1) * PART)),
        );
        expect(tail).toEqual(bytes.slice(whole * PART));
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it("stores a part while the next one fills, and never more than that", async () => {
    const running: (() => void)[] = [];
    let most = 0;
    const cutter = new PartCutter(new PartBuffers(1, 8), () => {
      const stored = new Promise<void>((resolve) => running.push(resolve));
      most = Math.max(most, running.length);
      return stored;
    });
    await cutter.push(new Uint8Array(1));
    const second = cutter.push(new Uint8Array(1));
    await turn();
    expect(running).toHaveLength(1);
    for (let part = 0; part < 2; part += 1) {
      running.shift()?.();
      await turn();
    }
    await second;
    await cutter.settle();
    expect(most).toBe(1);
  });

  it("reports a part that could not be stored, and gives its memory back", async () => {
    const buffers = new PartBuffers(PART, 2);
    const cutter = new PartCutter(buffers, () => Promise.reject(new Error("disk full")));
    await cutter.push(new Uint8Array(PART));
    await expect(cutter.settle()).rejects.toThrow("disk full");
    cutter.release();
    await Promise.all([buffers.borrow(), buffers.borrow()]);
  });

  it("stops a push when an earlier part could not be stored", async () => {
    const cutter = new PartCutter(new PartBuffers(PART, 4), () => Promise.reject(new Error("disk full")));
    await expect(cutter.push(new Uint8Array(3 * PART))).rejects.toThrow("disk full");
    cutter.release();
  });

  it("does not keep a chunk's memory", async () => {
    const cutter = new PartCutter(new PartBuffers(PART, 1), async () => {});
    const chunk = new Uint8Array([1, 2, 3]);
    await cutter.push(chunk);
    chunk.fill(9);
    expect(cutter.tail).toEqual(new Uint8Array([1, 2, 3]));
    cutter.release();
    expect(cutter.tail.byteLength).toBe(0);
  });

  it("finishes many uploads with few buffers", async () => {
    // Each upload holds one buffer and wants a second one: two must not wait for each other for good.
    const buffers = new PartBuffers(PART, 2);
    const upload = async (id: number) => {
      const bytes = new Uint8Array(3 * PART + 1).fill(id);
      const { parts, tail } = await cut([bytes], buffers);
      return parts.every((part) => part.every((byte) => byte === id)) && tail.length === 1;
    };
    const all = Promise.all(Array.from({ length: 8 }, (_, id) => upload(id)));
    const late = new Promise<string>((resolve) => setTimeout(() => resolve("stuck"), 2000).unref());
    expect(await Promise.race([all, late])).toEqual(Array.from({ length: 8 }, () => true));
  });
});

async function cut(
  chunks: readonly Uint8Array[],
  buffers = new PartBuffers(PART, 3),
): Promise<{ parts: Uint8Array[]; tail: Uint8Array }> {
  const parts: Uint8Array[] = [];
  const cutter = new PartCutter(buffers, async (part) => {
    await turn();
    parts.push(part.slice());
  });
  for (const chunk of chunks) await cutter.push(chunk);
  await cutter.settle();
  const tail = cutter.tail.slice();
  cutter.release();
  return { parts, tail };
}

function split(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  return [0, ...cuts].map((start, index) => bytes.slice(start, cuts[index] ?? bytes.length));
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
