import { type Digest, digestAlgorithm, digestBytes } from "../oci/index.ts";
import { err, ok, type Result } from "../platform/index.ts";
import type {
  BlobStore,
  ByteRange,
  KeyPage,
  MultipartStore,
  MultipartWrite,
  Part,
  WriteFailure,
} from "./blob-store.ts";
import { pumpHashed } from "./hashed-pump.ts";
import { Hasher } from "./hasher.ts";
import { KEY_PREFIX } from "./object-key.ts";
import { readBytes } from "./read-bytes.ts";

/** Files deleted at a time. */
const DELETES_AT_ONCE = 16;

/** The service ignores the host; a URL needs one. */
const ORIGIN = "http://disk/";

/**
 * Objects as files, through workerd's disk service: it streams in native code, makes parent folders, replaces files
 * atomically, and an aborted write leaves nothing.
 */
export class DiskBlobStore implements BlobStore {
  readonly #disk: Fetcher;

  constructor(disk: Fetcher) {
    this.#disk = disk;
  }

  async stat(key: string): Promise<number | undefined> {
    const response = await this.#request(key, { method: "HEAD" });
    return response === undefined ? undefined : Number(response.headers.get("content-length"));
  }

  async read(key: string, range?: ByteRange): Promise<ReadableStream<Uint8Array> | undefined> {
    if (range?.length === 0) return new Blob([]).stream();
    const headers: Record<string, string> =
      range === undefined ? {} : { range: `bytes=${range.offset}-${range.offset + range.length - 1}` };
    const response = await this.#request(key, { headers });
    return response?.body ?? undefined;
  }

  async write(
    key: string,
    body: Uint8Array | ReadableStream<Uint8Array>,
    expected: { readonly size: number; readonly digest: Digest },
  ): Promise<Result<void, WriteFailure>> {
    const algorithm = digestAlgorithm(expected.digest);
    if (body instanceof Uint8Array) {
      const actual = digestBytes(algorithm, body);
      if (actual !== expected.digest) return err({ reason: "digest-mismatch", actual });
      await this.#put(key, body);
      return ok(undefined);
    }
    const hasher = new Hasher(algorithm);
    const { interrupted } = await pumpHashed(readBytes(body), hasher, (stream) => this.#put(key, stream));
    const failure = interrupted === undefined ? verify(hasher, expected) : sizeMismatch(hasher, expected.size);
    if (failure === undefined) return ok(undefined);
    await this.delete([key]);
    return err(failure);
  }

  readonly multipart: MultipartStore = {
    partSize: undefined,
    create: async (key: string): Promise<MultipartWrite> => ({ key, id: "" }),
    writePart: async (
      { key }: MultipartWrite,
      number: number,
      body: Uint8Array | ReadableStream<Uint8Array>,
    ): Promise<Part> => {
      await this.#put(partKey(key, number), body);
      return { number, tag: "" };
    },
    complete: async ({ key }: MultipartWrite, parts: readonly Part[]): Promise<string> => {
      const files = parts.map((part) => partKey(key, part.number));
      const [only] = files;
      if (files.length === 1 && only !== undefined) return only;
      await this.#join(files, key);
      await this.delete(files);
      return key;
    },
    abort: async ({ key }: MultipartWrite, parts: readonly Part[]): Promise<void> => {
      await this.delete(parts.map((part) => partKey(key, part.number)));
    },
  };

  async delete(keys: readonly string[]): Promise<void> {
    for (let start = 0; start < keys.length; start += DELETES_AT_ONCE) {
      const some = keys.slice(start, start + DELETES_AT_ONCE);
      await Promise.all(some.map((key) => this.#request(key, { method: "DELETE" })));
    }
  }

  /** One folder of the two-digit fan-out (`object-key.ts`) is one page. */
  async list(cursor: string | undefined): Promise<KeyPage> {
    const folders = await this.#folder(KEY_PREFIX);
    const folder = folders.find((name) => cursor === undefined || name > cursor);
    if (folder === undefined) return { keys: [] };
    const keys = (await this.#folder(`${KEY_PREFIX}${folder}/`)).map((name) => `${KEY_PREFIX}${folder}/${name}`);
    return folder === folders.at(-1) ? { keys } : { keys, cursor: folder };
  }

  async #folder(path: string): Promise<string[]> {
    const response = await this.#request(path, {});
    if (response === undefined) return [];
    const entries = await response.json<{ readonly name: string }[]>();
    return entries.map((entry) => entry.name).sort();
  }

  /**
   * Writes files one after the other into a new one. Its length is fixed beforehand: the service takes a body that is
   * cut off for one that has ended.
   */
  async #join(files: readonly string[], key: string): Promise<void> {
    const sizes = await Promise.all(files.map((file) => this.stat(file)));
    const present = sizes.filter((size) => size !== undefined);
    if (present.length < sizes.length) {
      // The parts go after the join: an earlier try got that far.
      if (await this.stat(key)) return;
      throw new Error(`parts are gone: ${key}`);
    }
    const { readable, writable } = new FixedLengthStream(present.reduce((total, size) => total + size, 0));
    const copy = async (): Promise<void> => {
      for (const file of files) {
        const stream = await this.read(file);
        if (stream === undefined) throw new Error(`part is gone: ${file}`);
        await stream.pipeTo(writable, { preventClose: true });
      }
      await writable.close();
    };
    const written = this.#put(key, readable);
    await Promise.all([
      written,
      copy().catch((error: unknown) => writable.abort(error).then(() => Promise.reject(error))),
    ]);
  }

  async #put(key: string, body: Uint8Array | ReadableStream<Uint8Array>): Promise<void> {
    await this.#request(key, { method: "PUT", body });
  }

  /** `undefined` is "no such file"; every other failure throws. */
  async #request(path: string, init: RequestInit): Promise<Response | undefined> {
    const response = await this.#disk.fetch(ORIGIN + path, init);
    if (response.status === 404) return undefined;
    if (!response.ok) throw new Error(`disk: ${init.method ?? "GET"} ${path} answered ${response.status}`);
    return response;
  }
}

/** The first part of a multipart write takes a name of its own too: an object's key is written once only. */
function partKey(key: string, number: number): string {
  return `${key}.${number}`;
}

function verify(
  hasher: Hasher,
  expected: { readonly size: number; readonly digest: Digest },
): WriteFailure | undefined {
  if (hasher.length !== expected.size) return sizeMismatch(hasher, expected.size);
  const actual = hasher.digest();
  return actual === expected.digest ? undefined : { reason: "digest-mismatch", actual };
}

function sizeMismatch(hasher: Hasher, size: number): WriteFailure {
  return { reason: "size-mismatch", message: `${hasher.length} of ${size} bytes arrived` };
}
