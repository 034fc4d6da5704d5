import { waitUntil } from "cloudflare:workers";
import { createGate, type Gate } from "./access/index.ts";
import {
  BlobIndex,
  BlobLinkStore,
  type BlobStore,
  DiskBlobStore,
  EdgeCache,
  GarbageCollector,
  GarbageStore,
  Manifests,
  ManifestStore,
  Names,
  PartBuffers,
  presigner,
  R2BlobStore,
  ReadCache,
  S3BlobStore,
  TagStore,
  uploadSessionClass,
  Uploads,
  UploadTickets,
} from "./content/index.ts";
import type { DistributionServices } from "./distribution/index.ts";
import { Maintenance } from "./operations/index.ts";
import {
  type Config,
  ConfigError,
  consoleLog,
  type Env,
  InstanceStore,
  instanceHmacKey,
  type Log,
  parseConfig,
  systemClock,
} from "./platform/index.ts";

/** Everything the Worker serves from, made once per isolate. */
export interface Services {
  readonly config: Config;
  readonly log: Log;
  readonly gate: Gate;
  readonly distribution: DistributionServices;
  readonly maintenance: Maintenance;
}

/**
 * Memory for parts of uploads to R2 or S3, for one isolate of 128 MiB: each running upload fills one buffer while
 * another is being stored.
 */
const PART_BUFFERS = 8;

const SECOND = 1000;

let made: { readonly env: Env; readonly services: Services } | undefined;

/**
 * The services for `env`: the only place that reads it.
 * @throws {ConfigError} if a setting is wrong
 */
export function servicesOf(env: Env): Services {
  if (made?.env !== env) made = { env, services: createServices(env) };
  return made.services;
}

function createServices(env: Env): Services {
  const config = parseConfig({ ...env });
  const log = consoleLog(config.LOG_LEVEL);
  const clock = systemClock;
  const store = blobStore(env, config);
  const grace = config.GC_GRACE_SECONDS * SECOND;
  const uploadLifetime = config.UPLOAD_TTL_SECONDS * SECOND;
  const cache = new ReadCache(clock, config.READ_STALENESS_MS, config.MEMORY_CACHE_BYTES);
  const blobs = new BlobIndex({
    links: new BlobLinkStore(env.DB, clock),
    store,
    cache,
    edge: config.EDGE_CACHE ? new EdgeCache(caches.default, log, waitUntil) : undefined,
    log,
    now: clock,
    grace,
    redirect: config.BLOB_REDIRECT,
    background: waitUntil,
  });
  const uploads = new Uploads({
    store,
    index: blobs,
    sessions: env.UPLOAD_SESSIONS,
    tickets: new UploadTickets(instanceHmacKey(new InstanceStore(env.DB), "upload-ticket-key")),
    clock,
    lifetime: uploadLifetime,
  });
  const gate = createGate({ open: config.ACCESS === "open", adminPassword: config.ADMIN_PASSWORD });
  const names = new Names(new TagStore(env.DB, clock), cache);
  const manifests = new Manifests({ manifests: new ManifestStore(env.DB, clock), blobs, store, cache, now: clock });
  const collector = new GarbageCollector({
    garbage: new GarbageStore(env.DB, clock),
    store,
    clock,
    log,
    grace,
    uploadLifetime,
  });
  return {
    config,
    log,
    gate,
    distribution: {
      gate,
      blobs,
      manifests,
      names,
      uploads,
      readOnly: config.READ_ONLY,
      chunkMinLength: config.CHUNK_MIN_LENGTH,
    },
    maintenance: new Maintenance({
      collector,
      database: env.DB,
      queue: env.MAINTENANCE,
      clock,
      log,
      eventRetention: config.EVENT_RETENTION_SECONDS * SECOND,
    }),
  };
}

function blobStore(env: Env, config: Config): BlobStore {
  switch (config.STORAGE) {
    case "r2":
      if (env.BLOBS === undefined) throw new ConfigError("STORAGE: r2 needs the binding BLOBS");
      return new R2BlobStore(env.BLOBS, config.s3 === undefined ? undefined : presigner(config.s3));
    case "filesystem":
      if (env.DISK === undefined)
        throw new ConfigError("STORAGE: filesystem is for self-hosts; it needs the binding DISK");
      return new DiskBlobStore(env.DISK);
    case "s3":
      if (config.s3 === undefined) throw new ConfigError("S3_ENDPOINT: required by STORAGE=s3");
      return new S3BlobStore(config.s3, (input, init) => fetch(input, init));
  }
}

/** The Durable Object class of upload sessions, with this Worker's services. */
export class UploadSession extends uploadSessionClass(uploadPorts) {}

let buffers: PartBuffers | undefined;

function uploadPorts(env: Env) {
  const { config, log } = servicesOf(env);
  const store = blobStore(env, config);
  buffers ??= new PartBuffers(store.multipart.partSize ?? 0, PART_BUFFERS);
  return { store, buffers, clock: systemClock, log };
}
