import { Buffer } from "node:buffer";
import { expect, it } from "vitest";
import { largePieces } from "../../src/mirror/large-pieces.ts";

const MIB = 1024 * 1024;
const BYTES = Uint8Array.from({ length: MIB + 5 }, (_, index) => index % 251);

/** The lengths of the pieces of a stream, whose bytes are `BYTES`. */
async function lengths(stream: ReadableStream<Uint8Array>): Promise<readonly number[]> {
  const reader = largePieces(stream);
  const pieces: Uint8Array[] = [];
  for (let next = await reader.read(); !next.done; next = await reader.read()) pieces.push(next.value);
  // Byte for byte it would be said slowly.
  expect(Buffer.concat(pieces).equals(BYTES)).toBe(true);
  return pieces.map(({ byteLength }) => byteLength);
}

it("are read of what comes from a network or a store", async () => {
  const { readable, writable } = new FixedLengthStream(BYTES.byteLength);
  const written = new Blob([BYTES]).stream().pipeTo(writable);
  const quarter = MIB / 4;
  expect(await lengths(readable)).toEqual([quarter, quarter, quarter, quarter, 5]);
  await written;
});

it("are as they come of what scripts make", async () => {
  const made = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(BYTES.slice(0, 10));
      controller.enqueue(BYTES.slice(10));
      controller.close();
    },
  });
  expect(await lengths(made)).toEqual([10, BYTES.byteLength - 10]);
});
