import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PartBuffers } from "./part-buffers.ts";

describe("PartBuffers", () => {
  it("never lends more than it has, and lends the same memory again", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 40 }),
        async (count, uploads) => {
          const buffers = new PartBuffers(16, count);
          const memory = new Set<Uint8Array>();
          const lent = new Set<Uint8Array>();
          let most = 0;
          const upload = async (turns: number) => {
            const buffer = await buffers.borrow();
            expect(lent.has(buffer.bytes)).toBe(false);
            memory.add(buffer.bytes);
            lent.add(buffer.bytes);
            most = Math.max(most, lent.size);
            for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
            lent.delete(buffer.bytes);
            buffer.release();
            buffer.release();
          };
          await Promise.all(uploads.map(upload));
          expect(most).toBeLessThanOrEqual(count);
          expect(memory.size).toBeLessThanOrEqual(count);
          expect(lent.size).toBe(0);
        },
      ),
      { seed: 2, numRuns: 200 },
    );
  });

  it("makes memory only when it is asked for", async () => {
    // Buffers for parts of R2 are 8 MiB each: an isolate that never sees an upload must not pay for them.
    const before = process.memoryUsage().arrayBuffers;
    const buffers = new PartBuffers(64 * 1024 * 1024, 1000);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024);
    expect(buffers.size).toBe(64 * 1024 * 1024);
  });
});
