import { readPieces } from "./request-body.ts";

/** How much of what nobody wants is taken, in bytes and milliseconds. */
interface RestBounds {
  readonly bytes: number;
  readonly ms: number;
}

/** Before the answer: a client that gets it between two requests may go on with the connection. */
const BEFORE: RestBounds = { bytes: 32 * 1024 * 1024, ms: 2000 };

/** In all: a client that sends everything before it reads still sees the answer. */
const IN_ALL: RestBounds = { bytes: 64 * 1024 * 1024, ms: 10_000 };

/**
 * Reads and drops what is left of a body, within bounds; never fails. Where the body was read, or is somebody else's, there
 * is nothing to do. `onEnough` is called where there is more than `enough`.
 */
export async function dropRest(
  body: ReadableStream<Uint8Array> | null,
  onEnough: () => void = () => {},
  { bytes, ms }: RestBounds = IN_ALL,
  enough: RestBounds = BEFORE,
): Promise<void> {
  if (body === null || body.locked) return;
  const pieces = readPieces(body);
  const timers = [setTimeout(onEnough, enough.ms), setTimeout(() => pieces.cancel(), ms)];
  let dropped = 0;
  try {
    for (;;) {
      const piece = await pieces.next();
      if (piece === undefined) return;
      dropped += piece.byteLength;
      if (dropped > enough.bytes) onEnough();
      if (dropped > bytes) return pieces.cancel();
    }
  } catch {
    // The sender broke off: there is nothing left.
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
}
