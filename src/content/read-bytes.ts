/** How a stream is read. */
export interface ReadSizes {
  /** Bytes of memory that is read into: at most so many at a time. */
  readonly most: number;
  /** Bytes that are waited for; fewer come only at the end. */
  readonly least: number;
}

/** Few calls for large bodies, little lost when a connection breaks. */
const LARGE: ReadSizes = { most: 1024 * 1024, least: 1024 * 1024 };

/**
 * Reads `stream` in large pieces. Each piece is valid until the next is asked for: its memory is used again.
 * A stream that fails yields the full pieces that arrived before it failed, then throws.
 */
export async function* readBytes(
  stream: ReadableStream<Uint8Array>,
  { most, least } = LARGE,
): AsyncGenerator<Uint8Array, void> {
  const reader = stream.getReader({ mode: "byob" });
  let buffer = new Uint8Array(most);
  try {
    for (;;) {
      const { value, done } = await reader.readAtLeast(least, buffer);
      if (done || value === undefined) return;
      yield value;
      buffer = new Uint8Array(value.buffer);
    }
  } finally {
    reader.releaseLock();
  }
}
