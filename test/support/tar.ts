import { createCipheriv, createHash } from "node:crypto";

/** A file of an archive. */
export interface TarFile {
  readonly name: string;
  readonly content: Uint8Array;
}

const BLOCK = 512;

/** The archive of some files, in the ustar format of POSIX: the same bytes for the same files. */
export function tar(files: readonly TarFile[]): Uint8Array {
  const blocks = files.flatMap(({ name, content }) => [header(name, content.byteLength), padded(content)]);
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

function header(name: string, size: number): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0, 100, "utf8");
  const octal = (value: number, offset: number, width: number) =>
    block.write(`${value.toString(8).padStart(width - 1, "0")}\0`, offset, width, "latin1");
  octal(0o644, 100, 8); // mode
  octal(0, 108, 8); // owner
  octal(0, 116, 8); // group
  octal(size, 124, 12);
  octal(0, 136, 12); // time of change
  block.write("0", 156, 1, "latin1"); // an ordinary file
  block.write("ustar\x0000", 257, 8, "latin1");
  block.fill(" ", 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, 8, "latin1");
  return block;
}

function padded(content: Uint8Array): Uint8Array {
  const rest = content.byteLength % BLOCK;
  return rest === 0 ? content : Buffer.concat([content, Buffer.alloc(BLOCK - rest)]);
}

/** Bytes that look random, do not compress, and are the same for the same seed. */
export function pseudoRandom(seed: string, size: number): Uint8Array {
  const key = createHash("sha256").update(seed).digest().subarray(0, 16);
  return createCipheriv("aes-128-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(size));
}
