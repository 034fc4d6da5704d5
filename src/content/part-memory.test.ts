import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PartMemory } from "./part-memory.ts";

describe("PartMemory", () => {
  it("never lends more than it has, and lends the same memory again", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 10 }),
        async (parts, uploads) => {
          const memory = new PartMemory(16, Date.now, { parts, partPatience: 10_000 });
          const made = new Set<Uint8Array>();
          const lent = new Set<Uint8Array>();
          let most = 0;
          const upload = async (turns: number) => {
            const buffer = await memory.borrow();
            if (buffer === undefined) throw new Error("no memory");
            expect(lent.has(buffer.bytes)).toBe(false);
            made.add(buffer.bytes);
            lent.add(buffer.bytes);
            most = Math.max(most, lent.size);
            for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
            lent.delete(buffer.bytes);
            buffer.release();
            buffer.release();
          };
          await Promise.all(uploads.map(upload));
          expect(most).toBeLessThanOrEqual(parts);
          expect(made.size).toBeLessThanOrEqual(parts);
          expect(lent.size).toBe(0);
        },
      ),
      { seed: 2, numRuns: 20 },
    );
  });

  it("makes memory only when it is asked for, and keeps none that nobody uses", async () => {
    const size = 64 * 1024 * 1024;
    const before = process.memoryUsage().arrayBuffers;
    const memory = new PartMemory(size, Date.now, { parts: 1000 });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(size);
    const buffer = await memory.borrow();
    buffer?.release();
    expect(buffer?.bytes.byteLength).toBe(0);
    expect((await memory.borrow())?.bytes.byteLength).toBe(size);
  });

  it("refuses what is too much after a while", async () => {
    const memory = new PartMemory(16, Date.now, { parts: 1, bodies: 1, partPatience: 1, bodyPatience: 1 });
    const [buffer, seat] = [await memory.borrow(), await memory.admit()];
    expect([await memory.borrow(), await memory.admit()]).toEqual([undefined, undefined]);
    buffer?.release();
    seat?.release();
    expect(await memory.borrow()).toBeDefined();
    expect(await memory.admit()).toBeDefined();
  });
});
