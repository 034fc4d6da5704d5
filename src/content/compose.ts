import type { Clock, Config, Database, Log, Retries } from "../platform/index.ts";
import { type InstanceStore, instanceHmacKey } from "../platform/index.ts";
import { BlobIndex } from "./blob-index.ts";
import { BlobLinkStore } from "./blob-link-store.ts";
import type { BlobStore } from "./blob-store.ts";
import { ContentListStore } from "./content-list-store.ts";
import { ContentUsageStore } from "./content-usage-store.ts";
import type { EdgeCache } from "./edge-cache.ts";
import { GarbageCollector } from "./garbage-collector.ts";
import { GarbageStore } from "./garbage-store.ts";
import { ManifestStore } from "./manifest-store.ts";
import { Manifests } from "./manifests.ts";
import { Names } from "./names.ts";
import { ReadCache } from "./read-cache.ts";
import { TagStore } from "./tag-store.ts";
import { Uploads } from "./uploads.ts";
import { UploadTickets } from "./upload-ticket.ts";

const SECOND = 1000;

/** What the content kernel works with. */
export interface ContentPorts {
  readonly config: Config;
  readonly database: Database;
  readonly store: BlobStore;
  readonly sessions: DurableObjectNamespace;
  readonly instance: InstanceStore;
  readonly retries: Retries;
  readonly edge: EdgeCache | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** Work to finish after the answer. */
  readonly background: (work: Promise<unknown>) => void;
}

/** The content kernel, put together. */
export interface Content {
  readonly blobs: BlobIndex;
  readonly manifests: Manifests;
  readonly names: Names;
  /** Everything there is, page by page. */
  readonly lists: ContentListStore;
  readonly usage: ContentUsageStore;
  readonly uploads: Uploads;
  readonly collector: GarbageCollector;
}

export function createContent(ports: ContentPorts): Content {
  const { config, database, store, edge, clock, log, background } = ports;
  const grace = config.GC_GRACE_SECONDS * SECOND;
  const uploadLifetime = config.UPLOAD_TTL_SECONDS * SECOND;
  const cache = new ReadCache(clock, config.READ_STALENESS_MS, config.MEMORY_CACHE_BYTES);
  const links = new BlobLinkStore(database, clock);
  const redirect = config.BLOB_REDIRECT;
  const blobs = new BlobIndex({ links, store, cache, edge, log, now: clock, grace, redirect, background });
  const ticketKey = instanceHmacKey(ports.instance, "upload-ticket-key");
  return {
    blobs,
    manifests: new Manifests({
      manifests: new ManifestStore(database, clock),
      blobs,
      store,
      cache,
      sparseIndexes: config.SPARSE_INDEXES,
      now: clock,
    }),
    names: new Names(new TagStore(database), cache),
    lists: new ContentListStore(database),
    usage: new ContentUsageStore(database),
    uploads: new Uploads({
      store,
      index: blobs,
      sessions: ports.sessions,
      retries: ports.retries,
      tickets: new UploadTickets(ticketKey),
      clock,
      lifetime: uploadLifetime,
    }),
    collector: new GarbageCollector({
      garbage: new GarbageStore(database, clock),
      store,
      clock,
      log,
      grace,
      uploadLifetime,
    }),
  };
}
