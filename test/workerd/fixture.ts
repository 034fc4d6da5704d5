import { digestBytes } from "../../src/oci/index.ts";
import { type Digest, parseReference, parseRepositoryName, type RepositoryName } from "../../src/oci/index.ts";
import { BlobIndex } from "../../src/content/blob-index.ts";
import { BlobLinkStore } from "../../src/content/blob-link-store.ts";
import type { BlobStore } from "../../src/content/blob-store.ts";
import type { EdgeCache } from "../../src/content/edge-cache.ts";
import { GarbageCollector } from "../../src/content/garbage-collector.ts";
import { GarbageStore } from "../../src/content/garbage-store.ts";
import { ManifestStore } from "../../src/content/manifest-store.ts";
import { Manifests } from "../../src/content/manifests.ts";
import { R2BlobStore } from "../../src/content/r2-blob-store.ts";
import { ReadCache } from "../../src/content/read-cache.ts";
import { newObjectKey } from "../../src/content/object-key.ts";
import type { Database, Log } from "../../src/platform/index.ts";
import { bindings, retries } from "./bindings.ts";

/** How long content that nothing refers to is kept here, in milliseconds. */
export const GRACE = 3_600_000;
/** How long an upload may take here, in milliseconds. */
export const UPLOAD_LIFETIME = GRACE;

export const quietLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** What a kernel may be made of instead of the usual. */
export interface KernelOptions {
  readonly database?: Database;
  readonly store?: BlobStore;
  readonly edge?: EdgeCache;
  /** In milliseconds. */
  readonly uploadLifetime?: number;
  readonly sparseIndexes?: boolean;
  /** How long a lookup is good, in milliseconds; 0 unless given. */
  readonly staleness?: number;
}

/** The content kernel over the real bindings, with a clock that the test turns. */
export function createKernel(options: KernelOptions = {}) {
  const { database = bindings.DB, store = new R2BlobStore(bindings.BLOBS, retries), edge } = options;
  const time = { now: Date.now() };
  const clock = () => time.now;
  const pending: Promise<unknown>[] = [];
  const cache = new ReadCache(clock, options.staleness ?? 0, 1024 * 1024);
  const blobs = new BlobIndex({
    links: new BlobLinkStore(database, clock),
    store,
    cache,
    edge,
    log: quietLog,
    now: clock,
    grace: GRACE,
    redirect: false,
    background: (work) => pending.push(work),
  });
  const manifestStore = new ManifestStore(database, clock);
  return {
    time,
    clock,
    store,
    edge,
    blobs,
    manifests: new Manifests({
      manifests: manifestStore,
      blobs,
      store,
      cache,
      sparseIndexes: options.sparseIndexes ?? false,
      now: clock,
    }),
    garbage: new GarbageStore(database, clock),
    collector: new GarbageCollector({
      garbage: new GarbageStore(database, clock),
      store,
      clock,
      log: quietLog,
      grace: GRACE,
      uploadLifetime: options.uploadLifetime ?? UPLOAD_LIFETIME,
    }),
    /** Resolves when everything that was left for after the answer is done. */
    async settle(): Promise<void> {
      for (const work of pending.splice(0)) await work;
    },
  };
}

export type Kernel = ReturnType<typeof createKernel>;

let repositories = 0;

/** A repository name that no other test of the file uses. */
export function newRepository(): RepositoryName {
  repositories += 1;
  return repositoryName(`test/r${repositories}`);
}

export function repositoryName(text: string): RepositoryName {
  const name = parseRepositoryName(text);
  if (name === undefined) throw new Error(`not a repository name: ${text}`);
  return name;
}

/** Pushes a blob, as a push in one request does. Resolves to its digest and the key of the object it wrote. */
export async function pushBlob(
  { blobs, store, clock }: Kernel,
  repository: RepositoryName,
  bytes: Uint8Array,
): Promise<{ readonly digest: Digest; readonly key: string; readonly size: number }> {
  const object = { key: newObjectKey(clock()), digest: digestBytes("sha256", bytes), size: bytes.byteLength };
  const written = await store.write(object.key, bytes, object);
  if (!written.ok) throw new Error(written.error.reason);
  await blobs.add(repository, object);
  return object;
}

/** Pushes a manifest under a tag or, without one, its digest. */
export function pushManifest(kernel: Kernel, repository: RepositoryName, body: object, tag?: string) {
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  const reference = parseReference(tag ?? digestBytes("sha256", bytes));
  if (!reference.ok) throw new Error(reference.error.reason);
  return kernel.manifests.put({ repository, reference: reference.value, tags: [], bytes, contentType: undefined });
}

/** An image manifest of blobs; the first one is the config. */
export function imageOf(digests: readonly Digest[], more: object = {}) {
  const [config, ...layers] = digests;
  return {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: config, size: 1 },
    layers: layers.map((digest) => ({ mediaType: "application/vnd.oci.image.layer.v1.tar", digest, size: 1 })),
    ...more,
  };
}

/** An index of manifests. */
export function indexOf(digests: readonly Digest[], more: object = {}) {
  return {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: digests.map((digest) => ({
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      digest,
      size: 1,
    })),
    ...more,
  };
}
