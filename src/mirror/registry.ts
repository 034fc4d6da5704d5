import type { Descriptor, Digest } from "../oci/index.ts";

/** A manifest as its registry keeps it, byte for byte. */
export interface ManifestContent {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** What a `HEAD` of a manifest says. */
export interface ManifestHead {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/** What a registry can and cannot, as known from its kind or learned by trying. */
export interface RegistryCapabilities {
  /** `GET /v2/_catalog`, or an API of the product for the same. */
  readonly catalog: boolean;
  /** Uploads in several `PATCH` requests. */
  readonly chunks: boolean;
  /** An index may name manifests that are not there. */
  readonly sparse: boolean;
  /** `GET /v2/<name>/referrers/<digest>`. */
  readonly referrers: boolean;
  readonly deleteManifests: boolean;
  readonly deleteTags: boolean;
}

/** One repository of a registry, to read from. `undefined` stands for what is not there; all else that fails throws a `RegistryError`. */
export interface SourceRepository {
  /** The whole name, as the registry has it. */
  readonly name: string;
  /** All tags, page by page, in the registry's order. */
  tags(): AsyncIterable<readonly string[]>;
  /** By tag or digest. Costs nothing of Docker Hub's quota. */
  head(reference: string): Promise<ManifestHead | undefined>;
  /** By tag or digest; the bytes are verified against the digest. */
  manifest(reference: string): Promise<ManifestContent | undefined>;
  /**
   * The bytes of a blob from `offset` on. `start` is where the stream begins: 0 if the registry ignores ranges. The
   * stream is not verified: whoever reads all of it does that.
   */
  blob(
    digest: string,
    offset: number,
    signal: AbortSignal,
  ): Promise<{ readonly stream: ReadableStream<Uint8Array>; readonly start: number } | undefined>;
  /** Manifests whose subject is `digest`, by the referrers API or the fallback tag. */
  referrers(digest: string): Promise<readonly Descriptor[]>;
}

/** Where an upload stands, as text for a database: enough to go on in another process. */
export interface UploadState {
  /** Address of the upload, absolute. */
  readonly location: string;
  /** Bytes that the target has confirmed. */
  readonly offset: number;
}

/** An upload of one blob. */
export interface BlobUpload {
  readonly state: UploadState;
  /** Whether `append` may be called more than once. */
  readonly resumable: boolean;
  /** Bytes that each part but the last must have at least, if the registry says so (`OCI-Chunk-Min-Length`). */
  readonly minimumLength?: number;
  /** Sends bytes that begin at `state.offset`; answers where the upload then stands. */
  append(stream: ReadableStream<Uint8Array>, length: number): Promise<UploadState>;
  /** Closes the upload. The target verifies the digest. */
  close(digest: string): Promise<void>;
  /** Removes what was uploaded; does not fail. */
  cancel(): Promise<void>;
}

/** One repository of a registry, to write to. */
export interface TargetRepository extends SourceRepository {
  hasBlob(digest: string): Promise<boolean>;
  /** Takes a blob over from another repository of the same registry, if the registry will. */
  mount(digest: string, from: string): Promise<boolean>;
  /** Sends a whole blob in one request. */
  putBlob(blob: Descriptor, stream: ReadableStream<Uint8Array>): Promise<void>;
  /** Begins an upload, or goes on with one; a new one begins if the old is gone. */
  upload(resume?: UploadState): Promise<BlobUpload>;
  /** `reference` is the digest or a tag. Answers whether the registry took note of the manifest's subject (`OCI-Subject`). */
  putManifest(reference: string, content: ManifestContent): Promise<{ readonly subject: boolean }>;
  deleteTag(tag: string): Promise<void>;
}

/** What a registry can whose storage is written without a way over the network. */
export interface DirectStorage {
  /** Bytes of the largest blob that is written in one go, unless that was begun before and did not come to its end. */
  readonly wholeBlob: number;
}

/** A registry, with the credentials it is used with. */
export interface Registry {
  /** As the configuration calls it. */
  readonly name: string;
  /** Equal for two that are one and the same, so that blobs can be mounted: scheme, host and port. */
  readonly origin: string;
  /** Present if blobs go straight to its storage, which compares them with their digests before anybody sees them. */
  readonly direct?: DirectStorage;
  capabilities(): RegistryCapabilities;
  repository(name: string, access: "pull" | "push"): TargetRepository;
  /** Names of repositories, page by page; below `project` if given. */
  repositories(project?: string): AsyncIterable<readonly string[]>;
  /** Projects, organisations or first path components. */
  projects(): Promise<readonly string[]>;
  /** Whether it answers and accepts the credentials; throws a `RegistryError` if not. */
  check(): Promise<void>;
  /** Makes the repository or its project where the product needs that (ECR, Harbor). */
  prepare(repository: string): Promise<void>;
}

/** Why a call to a registry failed, and whether trying again may help. */
export type RegistryFailure =
  /** Network, timeout, 408, 425, 429, 499, 5xx. */
  | "transient"
  /** 401 or 403 after the dance. */
  | "denied"
  /** 404 where something had to be. */
  | "missing"
  /** The bytes are not what the digest says. */
  | "corrupt"
  /** 409, 412, or a tag that may not be changed. */
  | "conflict"
  /** Schema 1, or a request that the registry does not know. */
  | "unsupported"
  /** 400, 413 and the like: it will be refused again. */
  | "refused"
  /** The budget says not now; `retryAfter` says when. */
  | "delayed"
  /** Private addresses where they are not allowed, a realm or redirect that may not be followed. */
  | "forbidden-address";

export class RegistryError extends Error {
  override readonly name = "RegistryError";
  readonly failure: RegistryFailure;
  readonly status: number | undefined;
  /** Milliseconds to wait, if the registry or the budget said so. */
  readonly retryAfter: number | undefined;

  constructor(
    failure: RegistryFailure,
    message: string,
    more: { readonly status?: number; readonly retryAfter?: number; readonly cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? {} : { cause: more.cause });
    this.failure = failure;
    this.status = more.status;
    this.retryAfter = more.retryAfter;
  }
}

/** Whether trying again later may help. */
export function isTransient(error: unknown): boolean {
  return error instanceof RegistryError && (error.failure === "transient" || error.failure === "delayed");
}
