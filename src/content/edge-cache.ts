import type { Log } from "../platform/index.ts";
import type { ByteRange } from "./blob-store.ts";
import type { Digest } from "./digest.ts";

/** Largest object that Cloudflare's Cache API keeps, in bytes. @see Workers limits */
const MAX_BYTES = 512 * 1024 * 1024;

/** Names in the cache. No such host is ever asked. */
const ORIGIN = "https://blobs.entrepot.invalid/";

/**
 * Blobs in the cache of the data centre that answers, by digest. Only what was authorised and looked up is read from
 * here, so one copy serves every repository that holds the blob.
 */
export class EdgeCache {
  readonly #cache: Cache;
  readonly #log: Log;
  readonly #background: (work: Promise<unknown>) => void;

  constructor(cache: Cache, log: Log, background: (work: Promise<unknown>) => void) {
    this.#cache = cache;
    this.#log = log;
    this.#background = background;
  }

  async read(digest: Digest, range?: ByteRange): Promise<ReadableStream<Uint8Array> | undefined> {
    const headers: Record<string, string> =
      range === undefined ? {} : { range: `bytes=${range.offset}-${range.offset + range.length - 1}` };
    const hit = await this.#cache.match(new Request(ORIGIN + digest, { headers }));
    if (hit === undefined) return undefined;
    if (hit.status === (range === undefined ? 200 : 206) && hit.body !== null) return hit.body;
    await hit.body?.cancel();
    return undefined;
  }

  /** Keeps a copy, read anew after the answer: a copy split off the answer would be held back by a slow client. */
  fill(digest: Digest, size: number, read: () => Promise<ReadableStream<Uint8Array> | undefined>): void {
    if (size > MAX_BYTES) return;
    const fill = async (): Promise<void> => {
      const stream = await read();
      if (stream === undefined) return;
      const { readable, writable } = new FixedLengthStream(size);
      const headers = { "cache-control": "public, max-age=31536000, immutable", "content-length": String(size) };
      await Promise.all([
        stream.pipeTo(writable),
        this.#cache.put(ORIGIN + digest, new Response(readable, { headers })),
      ]);
    };
    this.#background(fill().catch((error: unknown) => this.#log.debug("edge.fill-failed", { digest, error })));
  }
}
