import { describe, expect, it } from "vitest";
import { patterned, sha256 } from "../memory-registry.fixture.ts";
import type { BlobReader } from "./blob-reader.ts";
import { fanOut, type Sink } from "./fan-out.ts";

const PIECE = 100;

function blobOf(pieces: number) {
  const bytes = patterned(pieces * PIECE);
  return { bytes, blob: { mediaType: "layer", digest: sha256(bytes), size: bytes.byteLength } };
}

function readerOf(bytes: Uint8Array, from = 0): BlobReader & { readonly cancelled: () => boolean } {
  let position = from;
  let cancelled = false;
  return {
    get position() {
      return position;
    },
    read: async () => {
      if (position === bytes.byteLength) return undefined;
      const piece = bytes.slice(position, position + PIECE);
      position += piece.byteLength;
      return piece;
    },
    cancel: () => {
      cancelled = true;
    },
    cancelled: () => cancelled,
  };
}

function collecting(from = 0): Sink & { readonly pieces: Uint8Array[] } {
  const pieces: Uint8Array[] = [];
  return {
    from,
    pieces,
    consume: async (stream) => {
      for await (const piece of stream) pieces.push(piece);
    },
  };
}

const PORTS = { signal: new AbortController().signal, onBytes: () => {} };

describe("fanOut", () => {
  it("gives all bytes to all sinks, and to each a buffer of its own", async () => {
    const { bytes, blob } = blobOf(5);
    const sinks = [collecting(), collecting(250), collecting(500)];
    const out = await fanOut(readerOf(bytes), blob, sinks, PORTS);
    expect(out).toEqual({ sinks: [undefined, undefined, undefined], verified: true });
    expect(sinks.map(({ pieces }) => Buffer.concat(pieces))).toEqual([
      Buffer.from(bytes),
      Buffer.from(bytes.slice(250)),
      Buffer.alloc(0),
    ]);
    expect(sinks[0]?.pieces[4]?.buffer).not.toBe(sinks[1]?.pieces[2]?.buffer);
  });

  it("goes at the pace of the slowest", async () => {
    const { bytes, blob } = blobOf(20);
    const reader = readerOf(bytes);
    let ahead = 0;
    const slow: Sink = {
      from: 0,
      consume: async (stream) => {
        let taken = 0;
        for await (const piece of stream) {
          taken += piece.byteLength;
          await new Promise((resolve) => setTimeout(resolve, 1));
          ahead = Math.max(ahead, reader.position - taken);
        }
      },
    };
    await fanOut(reader, blob, [slow, collecting()], PORTS);
    expect(ahead).toBeLessThanOrEqual(2 * PIECE);
  });

  it.each([
    ["fails", async () => Promise.reject(new Error("full"))],
    [
      "fails in the middle",
      async (stream: ReadableStream<Uint8Array>) => {
        await stream.getReader().read();
        throw new Error("full");
      },
    ],
    [
      "cancels and fails",
      async (stream: ReadableStream<Uint8Array>) => {
        await stream.cancel();
        throw new Error("full");
      },
    ],
  ])("leaves a sink behind that %s", async (_, consume) => {
    const { bytes, blob } = blobOf(5);
    const good = collecting();
    const out = await fanOut(readerOf(bytes), blob, [{ from: 0, consume }, good], PORTS);
    expect(out.sinks).toEqual([new Error("full"), undefined]);
    expect(out.source).toBeUndefined();
    expect(good.pieces).toHaveLength(5);
  });

  it("ends the reading when no sink is left", async () => {
    const { bytes, blob } = blobOf(5);
    const reader = readerOf(bytes);
    await fanOut(reader, blob, [{ from: 0, consume: async () => Promise.reject(new Error("full")) }], PORTS);
    expect(reader.cancelled()).toBe(true);
    expect(reader.position).toBeLessThan(bytes.byteLength);
  });

  it("keeps the last piece back when the digest is wrong", async () => {
    const { bytes, blob } = blobOf(5);
    const sink = collecting();
    bytes[0] = 255 - (bytes[0] ?? 0);
    const out = await fanOut(readerOf(bytes), blob, [sink], PORTS);
    expect(out.source).toMatchObject({ failure: "corrupt" });
    expect(out.sinks[0]).toMatchObject({ failure: "corrupt" });
    expect(sink.pieces.length).toBeLessThan(5);
  });

  it("says when it did not see all of the blob", async () => {
    const { bytes, blob } = blobOf(5);
    const out = await fanOut(readerOf(bytes, 200), blob, [collecting(200)], PORTS);
    expect(out).toEqual({ sinks: [undefined], verified: false });
  });

  it("ends with the signal, though nobody listens", async () => {
    const { bytes, blob } = blobOf(5);
    const stop = new AbortController();
    const hanging: Sink = { from: 0, consume: () => new Promise(() => {}) };
    setTimeout(() => stop.abort(new Error("stopped")), 5);
    const out = await fanOut(readerOf(bytes), blob, [hanging], { ...PORTS, signal: stop.signal });
    expect(out.sinks).toEqual([new Error("stopped")]);
  });
});
