import { createHash, randomBytes } from "node:crypto";

/** Bytes of a blob, made so that neither many nor large ones cost the client memory or time. */
export interface Payload {
  readonly size: number;
  /** `sha256:…`. */
  readonly digest: string;
  /** The bytes as they go over the wire; `framed` puts them under chunked transfer coding. */
  pieces(framed: boolean): Iterable<Uint8Array>;
}

/** Bytes of one frame of chunked coding: what Go's HTTP client, and so docker, sends at a time. */
const FRAME_BYTES = 32 * 1024;
/** Bytes given to the socket at a time. */
const BLOCK_BYTES = 1024 * 1024;
/** Blocks in the pool; a payload repeats them after its own first bytes. */
const POOL_BLOCKS = 4;
/** Bytes at the start that make a payload unlike every other. */
const OWN_BYTES = 64;

/** Blocks of a layer of 90 MB. */
export const LAYER_BLOCKS = 86;

const LAST_FRAME = Buffer.from("0\r\n\r\n");

const pool = Array.from({ length: POOL_BLOCKS }, () => randomBytes(BLOCK_BYTES));
const framedPool = pool.map(frame);

/** A new payload of `blocks` MiB and a few bytes, unlike any other. @param ownBytes how many a few are */
export function payload(blocks: number, ownBytes = OWN_BYTES): Payload {
  const own = randomBytes(ownBytes);
  const hash = createHash("sha256").update(own);
  for (let index = 0; index < blocks; index += 1) hash.update(block(pool, index));
  return {
    size: ownBytes + blocks * BLOCK_BYTES,
    digest: `sha256:${hash.digest("hex")}`,
    *pieces(framed) {
      yield framed ? frame(own) : own;
      for (let index = 0; index < blocks; index += 1) yield block(framed ? framedPool : pool, index);
      if (framed) yield LAST_FRAME;
    },
  };
}

function block(blocks: readonly Buffer[], index: number): Buffer {
  return blocks[index % blocks.length] ?? Buffer.alloc(0);
}

function frame(bytes: Buffer): Buffer {
  const framed: Buffer[] = [];
  for (let offset = 0; offset < bytes.byteLength; offset += FRAME_BYTES) {
    const piece = bytes.subarray(offset, offset + FRAME_BYTES);
    framed.push(Buffer.from(`${piece.byteLength.toString(16)}\r\n`), piece, Buffer.from("\r\n"));
  }
  return Buffer.concat(framed);
}
