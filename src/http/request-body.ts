import { BODY_PACE, type BodyPace, BodyWatch } from "./body-watch.ts";
import { err, ok, type Result } from "../platform/index.ts";

/** What is needed of a request. */
export interface BodySource {
  readonly headers: { get(name: string): string | null };
  readonly body: ReadableStream<Uint8Array> | null;
}

export interface BodyBounds extends Partial<BodyPace> {
  /** Bytes at the most. */
  readonly limit: number;
}

/** Why a body was not read. */
export type BodyFault =
  | { readonly reason: "too-large"; readonly limit: number }
  /** It came too slowly, or stopped coming. */
  | { readonly reason: "stalled" }
  /** The sender went away, or broke the coding of the transfer. */
  | { readonly reason: "aborted" };

/** The status that says it. @see RFC 9110, sections 15.5.9 and 15.5.14 */
export const BODY_FAULT_STATUS = { "too-large": 413, stalled: 408, aborted: 400 } as const;

/** The sentence that says it, in every dialect. */
export function bodyFaultMessage(fault: BodyFault): string {
  switch (fault.reason) {
    case "too-large":
      return `the request is too large: limit is ${fault.limit} bytes`;
    case "stalled":
      return "the body of the request came too slowly";
    case "aborted":
      return "the body of the request broke off";
  }
}

/** Bytes taken at a time. workerd's reader without a buffer takes 4 KiB. */
const PIECE_BYTES = 64 * 1024;

/**
 * Reads a body as a whole, with a bound for its size and for its time: every body that is not streamed to a store comes
 * through here, after permission. One whose `Content-Length` is beyond the limit is refused unread, and never is more
 * than the limit held, however small the chunks are. What is left of a refused body others can read still, but
 * for one that stalled.
 */
export async function readBody(
  source: BodySource,
  { limit, ...pace }: BodyBounds,
): Promise<Result<Uint8Array<ArrayBuffer>, BodyFault>> {
  const declared = Number(source.headers.get("content-length") ?? 0);
  if (declared > limit) return err({ reason: "too-large", limit });
  if (source.body === null) return ok(new Uint8Array());
  const pieces = readPieces(source.body);
  let watch: BodyWatch | undefined;
  const stalled = new Promise<Result<never, BodyFault>>((resolve) => {
    watch = new BodyWatch({ ...BODY_PACE, ...pace }, () => {
      pieces.cancel();
      resolve(err({ reason: "stalled" }));
    });
  });
  try {
    return await Promise.race([collect(pieces, limit, declared, watch), stalled]);
  } finally {
    watch?.end();
  }
}

/** The same as UTF-8 text; what is none is replaced. */
export async function readBodyText(source: BodySource, bounds: BodyBounds): Promise<Result<string, BodyFault>> {
  const read = await readBody(source, bounds);
  return read.ok ? ok(new TextDecoder().decode(read.value)) : read;
}

async function collect(
  pieces: Pieces,
  limit: number,
  declared: number,
  watch: BodyWatch | undefined,
): Promise<Result<Uint8Array<ArrayBuffer>, BodyFault>> {
  let bytes = new Uint8Array(Math.min(declared, PIECE_BYTES));
  let length = 0;
  try {
    for (;;) {
      const piece = await pieces.next();
      if (piece === undefined) break;
      watch?.got(piece.byteLength);
      const end = length + piece.byteLength;
      if (end > limit) {
        pieces.release();
        return err({ reason: "too-large", limit });
      }
      if (end > bytes.byteLength) bytes = grown(bytes, length, Math.min(limit, Math.max(end, 2 * bytes.byteLength)));
      bytes.set(piece, length);
      length = end;
    }
  } catch {
    return err({ reason: "aborted" });
  }
  pieces.release();
  return ok(length === bytes.byteLength ? bytes : bytes.slice(0, length));
}

function grown(bytes: Uint8Array<ArrayBuffer>, length: number, size: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(size);
  larger.set(bytes.subarray(0, length));
  return larger;
}

/** A stream piece by piece; a piece is good until the next is asked for. */
export interface Pieces {
  /** `undefined` at the end. */
  next(): Promise<Uint8Array | undefined>;
  /** Leaves what is left to others. No piece may be asked for at that time. */
  release(): void;
  /** Gives up the rest. */
  cancel(): void;
}

/** Reads a stream in pieces of up to 64 KiB, into one buffer if it is a stream of bytes. */
export function readPieces(stream: ReadableStream<Uint8Array>): Pieces {
  const reader = bufferReader(stream) ?? chunkReader(stream);
  return {
    next: reader.next,
    release: () => reader.of.releaseLock(),
    // That the sender breaks off meanwhile is no failure of ours.
    cancel: () => void reader.of.cancel().catch(() => {}),
  };
}

/** `undefined` for a stream that is not one of bytes. */
function bufferReader(stream: ReadableStream<Uint8Array>) {
  let of: ReadableStreamBYOBReader;
  try {
    of = stream.getReader({ mode: "byob" });
  } catch {
    return undefined;
  }
  let buffer = new ArrayBuffer(PIECE_BYTES);
  async function next(): Promise<Uint8Array | undefined> {
    const { value, done } = await of.read(new Uint8Array(buffer));
    if (done || value === undefined) return undefined;
    buffer = value.buffer;
    return value;
  }
  return { of, next };
}

function chunkReader(stream: ReadableStream<Uint8Array>) {
  const of = stream.getReader();
  return { of, next: async (): Promise<Uint8Array | undefined> => (await of.read()).value };
}
