import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digestBytes } from "../../src/oci/index.ts";
import { request } from "./bindings.ts";
import { sameBytes, someBytes } from "./bytes.ts";

const PART = 8 * 1024 * 1024;
const BYTES = someBytes(2 * PART + 5000, 9);

/** A size on either side of a part's boundary, and where its chunks begin. */
const pushes = fc
  .record({
    size: fc.oneof(
      fc.integer({ min: 0, max: 5000 }),
      fc.integer({ min: PART - 2, max: PART + 2 }),
      fc.integer({ min: 2 * PART - 2, max: 2 * PART + 5000 }),
    ),
    cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
    nearParts: fc.boolean(),
    algorithm: fc.constantFrom("sha256" as const, "sha512" as const),
    lastInClose: fc.boolean(),
    numbered: fc.boolean(),
  })
  .map(({ size, cuts, nearParts, ...rest }) => {
    const ends = cuts.map((cut) => Math.floor(cut * size));
    if (nearParts) ends.push(Math.min(size, PART - 1), Math.min(size, PART + 1));
    return { size, ends: [...ends.sort((a, b) => a - b), size], ...rest };
  });

async function drained(response: Response): Promise<Response> {
  await response.arrayBuffer();
  return response;
}

describe("any split of the same bytes", () => {
  it("pushes the same blob", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(pushes, async ({ size, ends, algorithm, lastInClose, numbered }) => {
        const bytes = BYTES.subarray(0, size);
        const digest = digestBytes(algorithm, bytes);
        const opened = await drained(
          await request(`/v2/test/split/blobs/uploads/?digest-algorithm=${algorithm}`, { method: "POST" }),
        );
        expect(opened.status).toBe(202);
        let location = opened.headers.get("location") ?? "";
        let start = 0;
        for (const [index, end] of ends.entries()) {
          const last = index === ends.length - 1;
          const body = bytes.slice(start, end);
          const headers: Record<string, string> = { "content-type": "application/octet-stream" };
          if (numbered && body.byteLength > 0) headers["content-range"] = `${start}-${end - 1}`;
          if (!last || !lastInClose) {
            const sent = await drained(await request(location, { method: "PATCH", headers, body }));
            expect([sent.status, sent.headers.get("range")]).toEqual([202, `0-${Math.max(0, end - 1)}`]);
            location = sent.headers.get("location") ?? "";
            start = end;
          }
          if (last) {
            const closing = lastInClose ? { headers, body } : {};
            const url = `${location}&digest=${digest}`;
            const closed = await drained(await request(url, { method: "PUT", ...closing }));
            expect([closed.status, closed.headers.get("docker-content-digest")]).toEqual([201, digest]);
          }
        }
        const pulled = await request(`/v2/test/split/blobs/${digest}`);
        expect(pulled.status).toBe(200);
        expect(sameBytes(new Uint8Array(await pulled.arrayBuffer()), bytes)).toBe(true);
        // The next run pushes anew rather than finding the blob there.
        const removed = await drained(await request(`/v2/test/split/blobs/${digest}`, { method: "DELETE" }));
        expect(removed.status).toBe(202);
      }),
      { seed: 3, numRuns: 15, endOnFailure: true },
    );
  });
});
