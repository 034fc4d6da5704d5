import { type BodyPace, BodyWatch, STREAM_PACE } from "../http/index.ts";
import { freeBytes } from "./free-bytes.ts";

/** Bytes of memory that is read into: few calls for large bodies, little lost when a connection breaks. */
const READ_BYTES = 1024 * 1024;

/**
 * Bytes that are waited for, unless the stream ends. To ask for fewer costs: with 30 KiB a push of files takes three times
 * the work.
 */
const LEAST_BYTES = 256 * 1024;

/** As many have to come in a minute: a sender of 4 KiB a second is slow, one of less has nearly stopped. */
const PACE: BodyPace = { ...STREAM_PACE, windowMs: 60_000 };

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
  { most = READ_BYTES, totalMs = PACE.totalMs }: ReadOptions = {},
): AsyncGenerator<Uint8Array, void> {
  const reader = stream.getReader({ mode: "byob" });
  let buffer = new Uint8Array(most);
  let stalled = false;
  const watch = new BodyWatch({ ...PACE, totalMs }, () => {
    stalled = true;
    // What it is read for ends as if the stream had; that it was not the end is said below.
    reader.cancel().catch(() => {});
  });
  try {
    for (;;) {
      watch.resume();
      const { value, done } = await reader.readAtLeast(Math.min(LEAST_BYTES, most), buffer);
      if (stalled) throw new Error("the bytes came too slowly");
      if (value === undefined) return;
      if (done) {
        freeBytes(value);
        return;
      }
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
