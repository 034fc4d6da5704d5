import { type Digest, digestAlgorithm, digestHex } from "../oci/index.ts";
import { err, ok, type Result, type Retries, Unavailable } from "../platform/index.ts";
import type {
  BlobStore,
  ByteRange,
  KeyPage,
  MultipartStore,
  MultipartWrite,
  Part,
  WriteFailure,
} from "./blob-store.ts";
import { KEY_PREFIX } from "./object-key.ts";

/** Equal parts of a multipart write; 10,000 of them are 78 GiB. @see R2 limits: parts of 5 MiB to 5 GiB, all equal but the last */
const PART_BYTES = 8 * 1024 * 1024;

/** Keys of one `delete` call. @see R2 Workers API reference */
const DELETE_KEYS = 1000;

/** R2's code for bytes that do not match the given checksum; it appears only in the error's text. */
const CHECKSUM_MISMATCH = "(10037)";

/**
 * What R2 says when it failed for a moment. @see R2 API, "Error codes": 10001 InternalError, 10043 ServiceUnavailable,
 * 10054 ClientDisconnect, 10058 TooManyRequests
 */
const TRANSIENT = /\((?:10001|10043|10054|10058)\)|internal error|Network connection lost/i;

/** How a bucket is used. */
export interface R2Options {
  readonly presign?: ((key: string, seconds: number) => Promise<string>) | undefined;
  /**
   * The bucket is Miniflare's. It reads an object that is made of parts without regard to how fast it is taken, so that a
   * few pulls of large ones fill the memory of the machine: such objects are read in ranges.
   */
  readonly simulated?: boolean;
}

/** Bytes of a range in which an object made of parts is read from a simulated bucket; each is of one part. */
const RANGE_BYTES = 1024 * 1024;

/** Objects in R2 through the Worker's binding. R2 itself verifies the digest of a whole write. */
export class R2BlobStore implements BlobStore {
  readonly presign?: (key: string, seconds: number) => Promise<string>;
  readonly #bucket: R2Bucket;
  readonly #retries: Retries;
  readonly #simulated: boolean;

  constructor(bucket: R2Bucket, retries: Retries, { presign, simulated = false }: R2Options = {}) {
    this.#bucket = bucket;
    this.#retries = retries;
    this.#simulated = simulated;
    if (presign !== undefined) this.presign = presign;
  }

  async stat(key: string): Promise<number | undefined> {
    return (await this.#call(() => this.#bucket.head(key)))?.size;
  }

  async read(key: string, range?: ByteRange): Promise<ReadableStream<Uint8Array> | undefined> {
    if (range?.length === 0) return new Blob([]).stream();
    const object = this.#simulated ? await this.#call(() => this.#bucket.head(key)) : undefined;
    if (object === null) return undefined;
    if (object !== undefined && isOfParts(object)) {
      const { offset, length } = range ?? { offset: 0, length: object.size };
      return this.#readRanges(key, offset, length);
    }
    return this.#get(key, range);
  }

  async #get(key: string, range?: ByteRange): Promise<ReadableStream<Uint8Array> | undefined> {
    const part = range === undefined ? {} : { range: { offset: range.offset, length: range.length } };
    const object = await this.#call(() => this.#bucket.get(key, part));
    return object?.body;
  }

  /** One range after the other, each when the one before it was taken. */
  #readRanges(key: string, offset: number, length: number): ReadableStream<Uint8Array> {
    const { readable, writable } = new FixedLengthStream(length);
    const send = async (): Promise<void> => {
      try {
        for (let at = offset, end = offset + length; at < end;) {
          const next = Math.min(end, at - (at % RANGE_BYTES) + RANGE_BYTES);
          const bytes = await this.#get(key, { offset: at, length: next - at });
          if (bytes === undefined) throw new Error(`object is gone: ${key}`);
          await bytes.pipeTo(writable, { preventClose: true });
          at = next;
        }
        await writable.close();
      } catch (error) {
        // Whoever reads is told, unless it was the reader who gave up.
        await writable.abort(error).catch(() => {});
      }
    };
    void send();
    return readable;
  }

  async write(
    key: string,
    body: Uint8Array | ReadableStream<Uint8Array>,
    expected: { readonly size: number; readonly digest: Digest },
  ): Promise<Result<void, WriteFailure>> {
    const algorithm = digestAlgorithm(expected.digest);
    try {
      const checksum = { [algorithm]: digestHex(expected.digest) };
      const { size } = await this.#call(() => this.#bucket.put(key, body, checksum), body);
      if (size === expected.size) return ok(undefined);
      await this.delete([key]);
      return err({ reason: "size-mismatch", message: `${size} bytes arrived, not ${expected.size}` });
    } catch (error) {
      if (String(error).includes(CHECKSUM_MISMATCH)) return err({ reason: "digest-mismatch", actual: undefined });
      throw error;
    }
  }

  readonly multipart: MultipartStore = {
    partSize: PART_BYTES,
    create: async (key: string): Promise<MultipartWrite> => {
      const upload = await this.#call(() => this.#bucket.createMultipartUpload(key));
      return { key, id: upload.uploadId };
    },
    writePart: async (
      write: MultipartWrite,
      number: number,
      body: Uint8Array | ReadableStream<Uint8Array>,
    ): Promise<Part> => {
      const part = await this.#call(() => this.#resume(write).uploadPart(number, body), body);
      return { number, tag: part.etag };
    },
    complete: async (write: MultipartWrite, parts: readonly Part[]): Promise<string> => {
      await this.#resume(write).complete(parts.map((part) => ({ partNumber: part.number, etag: part.tag })));
      return write.key;
    },
    abort: async (write: MultipartWrite): Promise<void> => {
      await this.#resume(write).abort();
    },
  };

  async delete(keys: readonly string[]): Promise<void> {
    for (let start = 0; start < keys.length; start += DELETE_KEYS) {
      await this.#call(() => this.#bucket.delete(keys.slice(start, start + DELETE_KEYS)));
    }
  }

  async list(cursor: string | undefined): Promise<KeyPage> {
    const options = { prefix: KEY_PREFIX, ...(cursor === undefined ? {} : { cursor }) };
    const page = await this.#call(() => this.#bucket.list(options));
    const keys = page.objects.map((object) => object.key);
    return page.truncated ? { keys, cursor: page.cursor } : { keys };
  }

  /**
   * A call that is tried again when it fails for a moment. A stream is there once only.
   * @throws {Unavailable} when no try was of use
   */
  async #call<T>(act: () => Promise<T>, body?: Uint8Array | ReadableStream<Uint8Array>): Promise<T> {
    const isTransient = (error: unknown): boolean => TRANSIENT.test(String(error));
    try {
      return await (body instanceof ReadableStream ? act() : this.#retries.run(act, isTransient));
    } catch (error) {
      throw isTransient(error) ? new Unavailable("the blob store", error) : error;
    }
  }

  #resume(write: MultipartWrite): R2MultipartUpload {
    return this.#bucket.resumeMultipartUpload(write.key, write.id);
  }
}

/** R2 gives objects of parts an entity tag that tells how many there are. @see R2 Workers API reference, multipart ETags */
function isOfParts({ etag }: R2Object): boolean {
  return etag.includes("-");
}
