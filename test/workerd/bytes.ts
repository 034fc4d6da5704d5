/** Bytes that look random and are the same every time. */
export function someBytes(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed >>> 0 || 1;
  for (let index = 0; index < length; index += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[index] = state & 0xff;
  }
  return bytes;
}

/** A stream of known length, as the body of a request is. */
export function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  const { readable, writable } = new FixedLengthStream(bytes.byteLength);
  void send(writable, bytes);
  return readable;
}

/** A stream of known length that breaks off after `bytes`, as the body of a client that went away does. */
export function brokenStream(bytes: Uint8Array, length = bytes.byteLength + 1): ReadableStream<Uint8Array> {
  const { readable, writable } = new FixedLengthStream(length);
  const writer = writable.getWriter();
  void writer
    .write(bytes)
    .then(() => writer.abort(new Error("client went away")))
    .catch(() => {});
  return readable;
}

/** Everything a stream yields. */
export async function bytesOf(stream: ReadableStream<Uint8Array> | Uint8Array | undefined): Promise<Uint8Array> {
  if (stream === undefined) throw new Error("nothing to read");
  return stream instanceof Uint8Array ? stream : new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Whether two arrays hold the same; much faster than a matcher for megabytes. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && crypto.subtle.timingSafeEqual(a, b);
}

async function send(writable: WritableStream<Uint8Array>, bytes: Uint8Array): Promise<void> {
  const writer = writable.getWriter();
  try {
    await writer.write(bytes);
    await writer.close();
  } catch {
    // The reader gave up; it says so itself.
  }
}
