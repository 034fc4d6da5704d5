/** Bytes asked of the runtime at a time: few calls for large bodies, little lost when a connection breaks. */
const READ_BYTES = 1024 * 1024;

/**
 * Reads `stream` in large pieces. Each piece is valid until the next is asked for: its memory is used again.
 * A stream that fails yields the full pieces that arrived before it failed, then throws.
 */
export async function* readBytes(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const reader = stream.getReader({ mode: "byob" });
  let buffer = new Uint8Array(READ_BYTES);
  try {
    for (;;) {
      const { value, done } = await reader.readAtLeast(READ_BYTES, buffer);
      if (done || value === undefined) return;
      yield value;
      buffer = new Uint8Array(value.buffer);
    }
  } finally {
    reader.releaseLock();
  }
}
