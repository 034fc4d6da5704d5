import type { Digest, RepositoryName } from "../oci/index.ts";
import type { Log } from "../platform/index.ts";
import { err, ok, type Result } from "../platform/index.ts";
import type { BlobLinkStore, LinkedBlob } from "./blob-link-store.ts";
import type { BlobStore, ByteRange } from "./blob-store.ts";
import type { EdgeCache } from "./edge-cache.ts";
import type { ContentFailure, Sought } from "./failure.ts";
import { MAX_CACHED_BLOB_BYTES, type ReadCache } from "./read-cache.ts";
import type { UploadResult } from "./upload-record.ts";

/** An orphan that a client asks for is kept when this share of its grace period is over. */
const KEEP_AFTER_SHARE = 0.25;

/** How many holders of a blob are tried for a mount that names no source. */
const MAX_MOUNT_SOURCES = 100;

/** How long a presigned address works, in seconds. */
const PRESIGNED_SECONDS = 20 * 60;

/** What reading and linking blobs needs. */
export interface BlobPorts {
  readonly links: BlobLinkStore;
  readonly store: BlobStore;
  readonly cache: ReadCache;
  readonly edge: EdgeCache | undefined;
  readonly log: Log;
  readonly now: () => number;
  /** How long orphans are kept, in milliseconds. */
  readonly grace: number;
  /** Whether pulls are redirected to the store. */
  readonly redirect: boolean;
  /** Work to finish after the answer. */
  readonly background: (work: Promise<unknown>) => void;
}

/** The blobs of repositories. */
export class BlobIndex {
  readonly #ports: BlobPorts;

  constructor(ports: BlobPorts) {
    this.#ports = ports;
  }

  /** The blob, if the repository holds it. `fresh` asks the database even if the answer is remembered. */
  find(repository: RepositoryName, digest: Digest, fresh: boolean): Promise<Result<LinkedBlob, ContentFailure>> {
    return this.seek(repository, digest, fresh)();
  }

  /** The same in two steps: it is looked up at once, and remembered when the answer is called for. */
  seek(repository: RepositoryName, digest: Digest, fresh: boolean): Sought<LinkedBlob> {
    const { links, cache, now, grace, log, background } = this.#ports;
    const begun = cache.begin(repository, digest, fresh, (mayLag) => links.find(repository, digest, mayLag));
    return async () => {
      const blob = await begun();
      if (blob === undefined) return err({ reason: "blob-unknown", digest });
      if (blob.orphanedAt !== null && now() - blob.orphanedAt > grace * KEEP_AFTER_SHARE) {
        cache.forget(repository);
        background(
          links.keep(repository, digest).catch((error: unknown) => log.warn("blob.keep-failed", { digest, error })),
        );
      }
      return ok(blob);
    };
  }

  /**
   * The bytes of a blob that was found, or a range of them.
   * @param host the registry's own, by which it was asked; without it, the edge cache is passed by
   */
  async read(blob: LinkedBlob, range?: ByteRange, host?: string): Promise<Uint8Array | ReadableStream<Uint8Array>> {
    const { cache, store } = this.#ports;
    if (blob.size <= MAX_CACHED_BLOB_BYTES) {
      const bytes = cache.bytes(blob.digest) ?? (await this.#readSmall(blob));
      return range === undefined ? bytes : bytes.subarray(range.offset, range.offset + range.length);
    }
    const edge = host === undefined ? undefined : this.#ports.edge?.at(host);
    const near = await edge?.read(blob, range);
    // The runtime sends a stream whose length it does not know in chunks; clients want `Content-Length`.
    if (near !== undefined) return near.pipeThrough(new FixedLengthStream(range?.length ?? blob.size));
    const stream = await store.read(blob.key, range);
    if (stream === undefined) throw new Error(`object of ${blob.digest} is gone: ${blob.key}`);
    if (range === undefined) edge?.fill(blob, () => store.read(blob.key));
    return stream;
  }

  /** An address from which the client may fetch the blob itself, if pulls are redirected. */
  async redirect(blob: LinkedBlob): Promise<string | undefined> {
    const { redirect, store } = this.#ports;
    return redirect && blob.size > MAX_CACHED_BLOB_BYTES ? store.presign?.(blob.key, PRESIGNED_SECONDS) : undefined;
  }

  /** Links a written object to the repository. If its bytes were stored already, the new copy is dropped. */
  async add(repository: RepositoryName, object: UploadResult): Promise<void> {
    const { links, cache } = this.#ports;
    const key = await links.add(repository, object);
    cache.forget(repository);
    if (key !== object.key) this.drop(object.key);
  }

  /**
   * Links a blob that another repository holds. Without `from`, any repository will do that `mayRead` allows.
   * Answers whether it was linked.
   */
  async mount(
    repository: RepositoryName,
    digest: Digest,
    from: RepositoryName | undefined,
    mayRead: (repository: RepositoryName) => boolean,
  ): Promise<boolean> {
    const { links, cache } = this.#ports;
    const sources = from === undefined ? await links.holders(digest, MAX_MOUNT_SOURCES) : [from];
    const source = sources.find(mayRead);
    if (source === undefined || !(await links.mount(source, repository, digest))) return false;
    cache.forget(repository);
    return true;
  }

  async remove(repository: RepositoryName, digest: Digest): Promise<Result<void, ContentFailure>> {
    const { links, cache } = this.#ports;
    const removal = await links.remove(repository, digest);
    cache.forget(repository);
    if (removal.outcome === "unknown") return err({ reason: "blob-unknown", digest });
    if (removal.outcome === "in-use") return err({ reason: "blob-in-use", digest, manifest: removal.manifest });
    return ok(undefined);
  }

  /** Removes an object that no row refers to, after the answer. */
  drop(key: string): void {
    const { store, log, background } = this.#ports;
    background(store.delete([key]).catch((error: unknown) => log.warn("object.drop-failed", { key, error })));
  }

  async #readSmall(blob: LinkedBlob): Promise<Uint8Array> {
    const stream = await this.#ports.store.read(blob.key);
    if (stream === undefined) throw new Error(`object of ${blob.digest} is gone: ${blob.key}`);
    const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
    this.#ports.cache.keepBytes(blob.digest, bytes);
    return bytes;
  }
}
