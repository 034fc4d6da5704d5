import { BodyWatch, STREAM_PACE } from "../platform/index.ts";

/** Bytes of memory that is read into: few calls for large bodies, little lost when a connection breaks. */
const READ_BYTES = 1024 * 1024;

/** Bytes that are waited for, unless the stream ends: as many as it has to bring in the time that `STREAM_PACE` gives it. */
const LEAST_BYTES = (STREAM_PACE.leastRate * STREAM_PACE.windowMs) / 1000;

/** How a stream is read. */
export interface ReadOptions {
  /** Bytes at a time at the most. */
  readonly most?: number;
  /** Milliseconds until the stream has to end. */
  readonly totalMs?: number;
}

/**
 * Reads `stream` in large pieces. Each piece is valid until the next is asked for: its memory is used again.
 * A stream that fails yields the pieces that arrived before it failed, then throws; so does one that nearly stopped.
 */
export async function* readBytes(
  stream: ReadableStream<Uint8Array>,
  { most = READ_BYTES, totalMs = STREAM_PACE.totalMs }: ReadOptions = {},
): AsyncGenerator<Uint8Array, void> {
  const reader = stream.getReader({ mode: "byob" });
  let buffer = new Uint8Array(most);
  let stalled = false;
  const watch = new BodyWatch({ ...STREAM_PACE, totalMs }, () => {
    stalled = true;
    // What it is read for ends as if the stream had; that it was not the end is said below.
    reader.cancel().catch(() => {});
  });
  try {
    for (;;) {
      watch.resume();
      const { value, done } = await reader.readAtLeast(Math.min(LEAST_BYTES, most), buffer);
      if (stalled) throw new Error("the bytes came too slowly");
      if (done || value === undefined) return;
      watch.got(value.byteLength);
      watch.rest();
      yield value;
      buffer = new Uint8Array(value.buffer);
    }
  } finally {
    watch.end();
    reader.releaseLock();
  }
}
