import { type Clock, type Log, Lru } from "../platform/index.ts";
import type { LinkedBlob } from "./blob-link-store.ts";
import type { ByteRange } from "./blob-store.ts";

/** Largest object that Cloudflare's Cache API keeps, in bytes. @see Workers limits */
const MAX_BYTES = 512 * 1024 * 1024;

/**
 * Names in the cache, below the host. The cache is that of the zone, and whatever is asked for under these names is
 * answered by the Worker, which has no such path. The rest of a name is the object's key, which nobody is told.
 */
const PATH = "/v2/.edge/";

/** Where Cloudflare's cache keeps nothing, a fill would only read twice. @see Workers, "Cache", runtime API */
const WITHOUT_CACHE = /\.workers\.dev(?::\d+)?$/;

/** For so long a fill is believed to run, in milliseconds: one that the runtime ended does not say so. */
const FILL_MS = 60_000;
/** Fills that are remembered. */
const MAX_FILLS = 1000;

/** What the cache works with. */
export interface EdgePorts {
  readonly cache: Pick<Cache, "match" | "put">;
  readonly clock: Clock;
  readonly log: Log;
  /** Work to finish after the answer. */
  readonly background: (work: Promise<unknown>) => void;
}

/**
 * Blobs in the cache of the data centre that answers, by object. Only what was authorised and looked up is read from
 * here, so one copy serves every repository that holds the blob.
 */
export class EdgeCache {
  readonly #ports: EdgePorts;
  /** When fills began that have not ended, in milliseconds since the Unix epoch, by name. */
  readonly #fills = new Lru<number>(MAX_FILLS);

  constructor(ports: EdgePorts) {
    this.#ports = ports;
  }

  /** The cache of the zone that `host` belongs to, if it has one. It keeps nothing under the names of others. */
  at(host: string): EdgeCacheOfHost | undefined {
    if (WITHOUT_CACHE.test(host)) return undefined;
    const name = ({ key }: LinkedBlob): string => `https://${host}${PATH}${key}`;
    return {
      read: (blob, range) => this.#read(name(blob), range),
      fill: (blob, read) => this.#fill(name(blob), blob, read),
    };
  }

  async #read(name: string, range: ByteRange | undefined): Promise<ReadableStream<Uint8Array> | undefined> {
    const headers: Record<string, string> =
      range === undefined ? {} : { range: `bytes=${range.offset}-${range.offset + range.length - 1}` };
    const hit = await this.#ports.cache.match(new Request(name, { headers }));
    if (hit === undefined) return undefined;
    if (hit.status === (range === undefined ? 200 : 206) && hit.body !== null) return hit.body;
    await hit.body?.cancel();
    return undefined;
  }

  #fill(name: string, { digest, size }: LinkedBlob, read: ReadBytes): void {
    const { cache, clock, log, background } = this.#ports;
    const begun = clock();
    if (size > MAX_BYTES || begun - (this.#fills.get(name) ?? Number.NEGATIVE_INFINITY) < FILL_MS) return;
    this.#fills.set(name, begun, 1);
    const fill = async (): Promise<void> => {
      try {
        const stream = await read();
        if (stream === undefined) return;
        const { readable, writable } = new FixedLengthStream(size);
        const headers = { "cache-control": "public, max-age=31536000, immutable", "content-length": String(size) };
        await Promise.all([stream.pipeTo(writable), cache.put(name, new Response(readable, { headers }))]);
      } catch (error) {
        log.debug("edge.fill-failed", { digest, error });
      } finally {
        this.#fills.delete(name);
      }
    };
    background(fill());
  }
}

type ReadBytes = () => Promise<ReadableStream<Uint8Array> | undefined>;

/** The cache under the registry's own host name. */
export interface EdgeCacheOfHost {
  read(blob: LinkedBlob, range?: ByteRange): Promise<ReadableStream<Uint8Array> | undefined>;
  /**
   * Keeps a copy, read anew after the answer: a copy split off the answer would be held back by a slow client. Clients
   * that ask for a blob at the same time fill it once.
   */
  fill(blob: LinkedBlob, read: ReadBytes): void;
}
