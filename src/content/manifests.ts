import {
  type Digest,
  digestAlgorithm,
  type DigestAlgorithm,
  digestBytes,
  parseManifest,
  type Reference,
  referenceText,
  type RepositoryName,
  type Tag,
} from "../oci/index.ts";
import { err, ok, type Result } from "../platform/index.ts";
import type { BlobIndex } from "./blob-index.ts";
import type { BlobStore } from "./blob-store.ts";
import type { ContentFailure, Sought } from "./failure.ts";
import type { ManifestStore, ReferrerRow, StoredManifest } from "./manifest-store.ts";
import { newObjectKey } from "./object-key.ts";
import { MAX_MANIFEST_BYTES, type PushedManifest, readPushedManifest } from "./pushed-manifest.ts";
import type { ReadCache } from "./read-cache.ts";

/** Annotation sizes vary a thousandfold; a page of referrers is also cut when it has this many bytes of them. */
const REFERRERS_PAGE_BYTES = 2 * 1024 * 1024;

/** What manifests need. */
export interface ManifestPorts {
  readonly manifests: ManifestStore;
  readonly blobs: BlobIndex;
  readonly store: BlobStore;
  readonly cache: ReadCache;
  /** Whether an index may name children that its repository does not hold. */
  readonly sparseIndexes: boolean;
  readonly now: () => number;
}

/** A manifest as it is pushed. */
export interface ManifestPushRequest {
  readonly repository: RepositoryName;
  /** What the client calls it; a digest must be that of the bytes. */
  readonly reference: Reference;
  /** Further tags. */
  readonly tags: readonly Tag[];
  readonly bytes: Uint8Array;
  readonly contentType: string | undefined;
}

/** What a push recorded. */
export interface ManifestPushed {
  readonly digest: Digest;
  readonly subject: Digest | undefined;
}

/** A manifest that refers to another as its subject. */
export interface Referrer {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Referrers, and the digest after which the next page begins. */
export interface ReferrersPage {
  readonly referrers: readonly Referrer[];
  readonly next: Digest | undefined;
}

/** The manifests of repositories. */
export class Manifests {
  readonly #ports: ManifestPorts;

  constructor(ports: ManifestPorts) {
    this.#ports = ports;
  }

  /** The manifest, if the repository holds it. `fresh` asks the database even if the answer is remembered. */
  find(
    repository: RepositoryName,
    reference: Reference,
    fresh: boolean,
  ): Promise<Result<StoredManifest, ContentFailure>> {
    return this.seek(repository, reference, fresh)();
  }

  /** The same in two steps: it is looked up at once, and remembered when the answer is called for. */
  seek(repository: RepositoryName, reference: Reference, fresh: boolean): Sought<StoredManifest> {
    const { cache, manifests } = this.#ports;
    // Clients ask for a tag first and then for its digest: the second answer is in the first.
    const begun = cache.begin(
      repository,
      `manifest ${referenceText(reference)}`,
      fresh,
      (mayLag) => manifests.find(repository, reference, mayLag),
      ({ digest }) => `manifest ${digest}`,
    );
    return async () => {
      const found = await begun();
      return found === undefined ? err({ reason: "manifest-unknown" }) : ok(found);
    };
  }

  /** The bytes of a manifest that was found, as they were pushed. */
  async read(manifest: StoredManifest): Promise<Uint8Array> {
    const { cache, store } = this.#ports;
    const kept = cache.bytes(manifest.digest);
    if (kept !== undefined) return kept;
    const stream = await store.read(manifest.key);
    if (stream === undefined) throw new Error(`object of ${manifest.digest} is gone: ${manifest.key}`);
    const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
    cache.keepBytes(manifest.digest, bytes);
    return bytes;
  }

  /** Validates and records a manifest: bytes first, then all rows at once. */
  async put(request: ManifestPushRequest): Promise<Result<ManifestPushed, ContentFailure>> {
    const { manifests, blobs, store, cache, now } = this.#ports;
    const { repository, reference, bytes } = request;
    const checked = check(request, this.#ports.sparseIndexes);
    if (!checked.ok) return checked;
    const { digest, pushed } = checked.value;
    const key = newObjectKey(now());
    const object = { key, digest, size: bytes.byteLength };
    const written = await store.write(key, bytes, object);
    if (!written.ok) throw new Error(`store refused bytes of its own digest ${digest}: ${written.error.reason}`);
    const tags = [...(reference.kind === "tag" ? [reference.tag] : []), ...request.tags];
    const kept = await manifests.put({ repository, object, pushed, tags });
    cache.forget(repository);
    if (kept !== key) blobs.drop(key);
    if (kept === undefined) {
      const missing = await manifests.missing(repository, pushed.references);
      return err({ reason: "manifest-references-unknown", missing });
    }
    return ok({ digest, subject: pushed.manifest.subject?.digest });
  }

  /** Removes a manifest and every tag that names it. */
  async remove(repository: RepositoryName, digest: Digest): Promise<Result<void, ContentFailure>> {
    const removed = await this.#ports.manifests.remove(repository, digest);
    this.#ports.cache.forget(repository);
    return removed ? ok(undefined) : err({ reason: "manifest-unknown" });
  }

  /** A page of the manifests whose subject is `subject`, which itself need not exist. */
  async referrers(
    repository: RepositoryName,
    subject: Digest,
    page: { readonly artifactType: string | undefined; readonly after: string; readonly limit: number },
  ): Promise<ReferrersPage> {
    const rows = await this.#ports.manifests.referrers(repository, subject, { ...page, limit: page.limit + 1 });
    const referrers: Referrer[] = [];
    let bytes = 0;
    for (const row of rows.slice(0, page.limit)) {
      const annotations = await this.#annotations(row);
      bytes += JSON.stringify(annotations).length;
      if (bytes > REFERRERS_PAGE_BYTES && referrers.length > 0) break;
      const { digest, mediaType, size, artifactType } = row;
      referrers.push({ digest, mediaType, size, artifactType: artifactType ?? undefined, annotations });
    }
    return { referrers, next: referrers.length < rows.length ? referrers.at(-1)?.digest : undefined };
  }

  /** The child of an index that runs on a platform, or `undefined`. */
  async childFor(
    index: StoredManifest,
    platform: { readonly os: string; readonly architecture: string },
  ): Promise<Digest | undefined> {
    const parsed = parseManifest(await this.read(index), index.mediaType);
    const children = parsed.ok ? parsed.value.children : [];
    return children.find(
      (child) => child.platform?.os === platform.os && child.platform.architecture === platform.architecture,
    )?.digest;
  }

  async #annotations(row: ReferrerRow): Promise<Readonly<Record<string, string>>> {
    if (row.annotations !== null) return JSON.parse(row.annotations) as Record<string, string>;
    const parsed = parseManifest(await this.read(row), row.mediaType);
    return (parsed.ok ? parsed.value.annotations : undefined) ?? {};
  }
}

/** Everything about a push that can be judged from the push alone. */
function check(
  request: ManifestPushRequest,
  sparseIndexes: boolean,
): Result<{ readonly digest: Digest; readonly pushed: PushedManifest }, ContentFailure> {
  const { bytes, reference, contentType } = request;
  if (bytes.byteLength > MAX_MANIFEST_BYTES) return err({ reason: "manifest-too-large", limit: MAX_MANIFEST_BYTES });
  const algorithm: DigestAlgorithm = reference.kind === "digest" ? digestAlgorithm(reference.digest) : "sha256";
  const digest = digestBytes(algorithm, bytes);
  if (reference.kind === "digest" && reference.digest !== digest) {
    return err({ reason: "digest-mismatch", expected: reference.digest, actual: digest });
  }
  const pushed = readPushedManifest(bytes, contentType, sparseIndexes);
  return pushed.ok ? ok({ digest, pushed: pushed.value }) : err({ reason: "manifest-invalid", message: pushed.error });
}
