import type { Digest } from "../oci/index.ts";
import type { Result } from "../platform/index.ts";

/** Part of an object. Both in bytes; `offset + length` never exceeds the object. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** Why an object was not written. Nothing is left under its key that anything refers to. */
export type WriteFailure =
  | { readonly reason: "digest-mismatch"; readonly actual: Digest | undefined }
  | { readonly reason: "size-mismatch"; readonly message: string };

/** An unfinished multipart write, to be kept by its owner: stores cannot list them. */
export interface MultipartWrite {
  readonly key: string;
  readonly id: string;
}

/** A finished part. `tag` is the store's own proof of it. */
export interface Part {
  readonly number: number;
  readonly tag: string;
}

/** Writing an object in pieces, for bytes that arrive over several requests. */
export interface MultipartStore {
  /**
   * Bytes that every part but the last must have, or `undefined` where parts are streams of any length.
   * @see `readBytes` and `PartCutter`, which make equal parts of unequal chunks
   */
  readonly partSize: number | undefined;
  create(key: string): Promise<MultipartWrite>;
  writePart(write: MultipartWrite, number: number, body: Uint8Array | ReadableStream<Uint8Array>): Promise<Part>;
  /** Joins the parts and resolves to the key under which the object now is. */
  complete(write: MultipartWrite, parts: readonly Part[]): Promise<string>;
  /** Removes whatever was written. Harmless when repeated. */
  abort(write: MultipartWrite, parts: readonly Part[]): Promise<void>;
}

/** One page of the keys in a store. */
export interface KeyPage {
  readonly keys: readonly string[];
  /** Where the next page begins; absent on the last. */
  readonly cursor?: string;
}

/**
 * Where bytes are. Keys are opaque and never used twice, so a write replaces nothing and a delete
 * can harm no newer content.
 */
export interface BlobStore {
  /** Size in bytes, or `undefined` if there is no such object. */
  stat(key: string): Promise<number | undefined>;
  /** The object's bytes, or a range of them; `undefined` if there is no such object. */
  read(key: string, range?: ByteRange): Promise<ReadableStream<Uint8Array> | undefined>;
  /** Writes exactly `size` bytes whose digest must be `digest`. */
  write(
    key: string,
    body: Uint8Array | ReadableStream<Uint8Array>,
    expected: { readonly size: number; readonly digest: Digest },
  ): Promise<Result<void, WriteFailure>>;
  readonly multipart: MultipartStore;
  delete(keys: readonly string[]): Promise<void>;
  /** A page of keys in no promised order. */
  list(cursor: string | undefined): Promise<KeyPage>;
  /** An address at which anyone may read the object for `seconds`. Only stores that can serve clients have it. */
  readonly presign?: (key: string, seconds: number) => Promise<string>;
}
