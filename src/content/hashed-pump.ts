import type { Hasher } from "./hasher.ts";

/** How a pump ended: everything was passed on, or the source failed after `bytes` of it were. */
export interface Pumped {
  readonly bytes: number;
  /** The source's error; absent when it ended. */
  readonly interrupted?: unknown;
}

/**
 * Passes `source` to `consume`, hashing on the way. When the source fails, what arrived before is passed on and
 * the consumer sees an ordinary end, so that an interrupted upload keeps its bytes.
 * @param size how many bytes there will be, for consumers that must know; then fewer are a failure
 * @throws what `consume` throws
 */
export async function pumpHashed<T>(
  source: AsyncIterator<Uint8Array, void>,
  hasher: Hasher,
  consume: (stream: ReadableStream<Uint8Array>) => Promise<T>,
  size?: number,
): Promise<Pumped & { readonly value: T }> {
  const { readable, writable } = size === undefined ? new IdentityTransformStream() : new FixedLengthStream(size);
  const writer = writable.getWriter();
  let bytes = 0;
  const consumed = consume(readable);
  // A consumer that fails early must not leave the pump waiting for a reader that is gone.
  consumed.catch((error: unknown) => writer.abort(error).catch(() => {}));
  const pump = async (): Promise<Pumped> => {
    for (;;) {
      let next: IteratorResult<Uint8Array, void>;
      try {
        next = await source.next();
      } catch (interrupted) {
        await writer.close();
        return { bytes, interrupted };
      }
      if (next.done) break;
      hasher.update(next.value);
      await writer.write(next.value);
      bytes += next.value.byteLength;
    }
    await writer.close();
    return { bytes };
  };
  const [value, pumped] = await Promise.all([consumed, pump()]);
  return { ...pumped, value };
}
