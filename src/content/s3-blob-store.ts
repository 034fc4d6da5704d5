import { AwsClient } from "aws4fetch";
import { type Digest, digestAlgorithm, digestBytes } from "../oci/index.ts";
import { err, ok, type Result, type S3Settings } from "../platform/index.ts";
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
import { elementTexts, escapeXml } from "./xml.ts";

/** Equal parts of a multipart write. @see Amazon S3 multipart upload limits: 5 MiB to 5 GiB, at most 10,000 parts */
const PART_BYTES = 8 * 1024 * 1024;

/** Requests to delete that run at a time; a Worker has six connections. */
const DELETES_AT_ONCE = 5;

/** A request that has not begun to answer after this long is given up, in milliseconds. The second is for those that send a stream. */
const TIMEOUT_MS = 60_000;
const STREAM_TIMEOUT_MS = 15 * 60_000;

/** Objects in an S3-compatible service, addressed by path and signed with Signature Version 4. */
export class S3BlobStore implements BlobStore {
  readonly presign: (key: string, seconds: number) => Promise<string>;
  readonly #client: AwsClient;
  readonly #base: string;
  readonly #fetch: typeof fetch;

  constructor(settings: S3Settings, fetcher: typeof fetch) {
    this.#client = s3Client(settings);
    this.#base = `${settings.endpoint}/${settings.bucket}`;
    this.#fetch = fetcher;
    this.presign = presigner(settings);
  }

  async stat(key: string): Promise<number | undefined> {
    const response = await this.#request(key, { method: "HEAD" });
    return response === undefined ? undefined : Number(response.headers.get("content-length"));
  }

  async read(key: string, range?: ByteRange): Promise<ReadableStream<Uint8Array> | undefined> {
    if (range?.length === 0) return new Blob([]).stream();
    const headers: Record<string, string> =
      range === undefined ? {} : { range: `bytes=${range.offset}-${range.offset + range.length - 1}` };
    return (await this.#request(key, { headers }))?.body ?? undefined;
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
      await this.#require(key, { method: "PUT", body });
      return ok(undefined);
    }
    const hasher = new Hasher(algorithm);
    let interrupted: unknown;
    try {
      ({ interrupted } = await pumpHashed(
        readBytes(body),
        hasher,
        (stream) => this.#require(key, { method: "PUT", body: stream }),
        expected.size,
      ));
    } catch (error) {
      // A body that ends early makes the service refuse the request; tell the client what it sent.
      if (hasher.length === expected.size) throw error;
      interrupted = error;
    }
    if (interrupted !== undefined) {
      await this.delete([key]);
      return err({ reason: "size-mismatch", message: `${hasher.length} of ${expected.size} bytes arrived` });
    }
    const actual = hasher.digest();
    if (actual === expected.digest) return ok(undefined);
    await this.delete([key]);
    return err({ reason: "digest-mismatch", actual });
  }

  readonly multipart: MultipartStore = {
    partSize: PART_BYTES,
    create: async (key: string): Promise<MultipartWrite> => {
      const response = await this.#require(`${key}?uploads`, { method: "POST" });
      const [id] = elementTexts(await response.text(), "UploadId");
      if (id === undefined) throw new Error("s3: CreateMultipartUpload answered without UploadId");
      return { key, id };
    },
    writePart: async (
      write: MultipartWrite,
      number: number,
      body: Uint8Array | ReadableStream<Uint8Array>,
    ): Promise<Part> => {
      const response = await this.#require(`${multipartPath(write)}&partNumber=${number}`, { method: "PUT", body });
      return { number, tag: response.headers.get("etag") ?? "" };
    },
    complete: async (write: MultipartWrite, parts: readonly Part[]): Promise<string> => {
      const list = parts.map(
        (part) => `<Part><PartNumber>${part.number}</PartNumber><ETag>${escapeXml(part.tag)}</ETag></Part>`,
      );
      const body = `<CompleteMultipartUpload>${list.join("")}</CompleteMultipartUpload>`;
      const response = await this.#require(multipartPath(write), { method: "POST", body });
      // S3 may answer 200 and report a failure in the body.
      const [code] = elementTexts(await response.text(), "Code");
      if (code !== undefined) throw new Error(`s3: CompleteMultipartUpload failed with ${code}`);
      return write.key;
    },
    abort: async (write: MultipartWrite): Promise<void> => {
      await this.#request(multipartPath(write), { method: "DELETE" });
    },
  };

  async delete(keys: readonly string[]): Promise<void> {
    for (let start = 0; start < keys.length; start += DELETES_AT_ONCE) {
      const some = keys.slice(start, start + DELETES_AT_ONCE);
      await Promise.all(some.map((key) => this.#request(key, { method: "DELETE" })));
    }
  }

  async list(cursor: string | undefined): Promise<KeyPage> {
    const query = new URLSearchParams({ "list-type": "2", prefix: KEY_PREFIX });
    if (cursor !== undefined) query.set("continuation-token", cursor);
    const text = await (await this.#require(`?${query}`, {})).text();
    const [next] = elementTexts(text, "NextContinuationToken");
    const keys = elementTexts(text, "Key");
    return next === undefined ? { keys } : { keys, cursor: next };
  }

  async #require(path: string, init: RequestInit): Promise<Response> {
    const response = await this.#request(path, init);
    if (response === undefined) throw new Error(`s3: ${init.method ?? "GET"} answered 404: no such bucket or upload`);
    return response;
  }

  /** `undefined` is "no such object"; every other failure throws. */
  async #request(path: string, init: RequestInit): Promise<Response | undefined> {
    const url = path.startsWith("?") ? this.#base + path : `${this.#base}/${path}`;
    const signed = await this.#client.sign(url, { ...init, body: null });
    const timeout = new AbortController();
    const patience = init.body instanceof ReadableStream ? STREAM_TIMEOUT_MS : TIMEOUT_MS;
    const timer = setTimeout(() => timeout.abort(new Error("s3: no answer in time")), patience);
    try {
      const response = await this.#fetch(signed.url, {
        method: init.method ?? "GET",
        headers: signed.headers,
        ...(init.body == null ? {} : { body: init.body }),
        redirect: "manual",
        signal: timeout.signal,
      });
      if (response.status === 404) {
        await response.body?.cancel();
        return undefined;
      }
      if (!response.ok) {
        const [code] = elementTexts(await response.text(), "Code");
        throw new Error(`s3: ${init.method ?? "GET"} answered ${response.status} ${code ?? ""}`);
      }
      return response;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Makes addresses at which anyone may read an object until they expire. */
export function presigner(settings: S3Settings): (key: string, seconds: number) => Promise<string> {
  const client = s3Client(settings);
  return async function presign(key, seconds) {
    const url = `${settings.endpoint}/${settings.bucket}/${key}?X-Amz-Expires=${seconds}`;
    const signed = await client.sign(url, { aws: { signQuery: true } });
    return signed.url;
  };
}

function s3Client(settings: S3Settings): AwsClient {
  return new AwsClient({
    accessKeyId: settings.accessKeyId,
    secretAccessKey: settings.secretAccessKey,
    region: settings.region,
    service: "s3",
    retries: 0,
  });
}

function multipartPath(write: MultipartWrite): string {
  return `${write.key}?uploadId=${encodeURIComponent(write.id)}`;
}
