import { type Descriptor, type Digest, digestAlgorithm, digestBytes } from "../oci/index.ts";
import {
  type DirectStorage,
  type BlobUpload,
  type ManifestContent,
  type ManifestHead,
  type Registry,
  type RegistryCapabilities,
  RegistryError,
  type TargetRepository,
  type UploadState,
} from "./registry.ts";

/** A registry in memory, for tests: it keeps what a real one keeps, refuses what a real one refuses, and fails on demand. */

export type MemoryOperation =
  | "tags"
  | "head"
  | "manifest"
  | "blob"
  | "referrers"
  | "hasBlob"
  | "mount"
  | "putBlob"
  | "upload"
  | "append"
  | "close"
  | "cancel"
  | "putManifest"
  | "deleteTag"
  | "repositories"
  | "projects"
  | "check"
  | "prepare";

export interface MemoryCall {
  readonly operation: MemoryOperation;
  readonly repository: string;
  /** Tag or digest; of `upload` and `append` the location. */
  readonly reference: string;
  /** Where a `blob` was read from, or how much an `append` sent. */
  readonly bytes?: number;
}

interface StoredRepository {
  readonly blobs: Map<string, Uint8Array>;
  readonly manifests: Map<string, ManifestContent>;
  readonly tags: Map<string, string>;
}

export interface MemoryRegistryOptions {
  readonly name?: string;
  readonly origin?: string;
  readonly capabilities?: Partial<RegistryCapabilities>;
  readonly direct?: DirectStorage;
  /** Names or tags per page. */
  readonly pageSize?: number;
}

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";
const CONFIG = "application/vnd.oci.image.config.v1+json";
const LAYER = "application/vnd.oci.image.layer.v1.tar+gzip";

export class MemoryRegistry implements Registry {
  readonly name: string;
  readonly origin: string;
  readonly direct?: DirectStorage;
  readonly calls: MemoryCall[] = [];
  readonly stored = new Map<string, StoredRepository>();
  readonly uploads = new Map<string, Uint8Array>();
  /** Runs before every call; what it throws, the call throws; what it awaits, the call waits for. */
  before: ((call: MemoryCall) => void | Promise<void>) | undefined;
  /** Blobs that are read with a wrong last byte, and how many more times. */
  readonly corrupt = new Map<string, number>();
  /** Blob reads that break after so many bytes of the stream, and how many more times. */
  readonly cut = new Map<string, { after: number; times: number }>();
  /** The same for what is sent: `putBlob` by digest, `append` by "append". */
  readonly cutUpload = new Map<string, { after: number; times: number }>();
  /** Milliseconds before every piece of a blob that is read. */
  slow = 0;
  /** Bytes in a piece of a blob that is read. */
  pieceSize = 1024;
  /** Whether blobs can be read from an offset on. */
  ranges = true;
  /** Lists of these break off after their first page, without an end. */
  readonly brokenLists = new Set<"tags" | "repositories">();
  /** Whether a tag can be moved. */
  immutable = false;
  /** Whether blobs of other repositories are mounted. */
  mounts = true;
  /** Whether an append that breaks leaves what had arrived. */
  keepPartial = true;
  readonly #capabilities: RegistryCapabilities;
  readonly #pageSize: number;
  readonly #failures: { operation: MemoryOperation; error: () => Error; times: number; reference?: string }[] = [];
  #nextUpload = 1;

  constructor(options: MemoryRegistryOptions = {}) {
    this.name = options.name ?? "memory";
    if (options.direct !== undefined) this.direct = options.direct;
    this.origin = options.origin ?? `https://${this.name}.test`;
    this.#pageSize = options.pageSize ?? 100;
    this.#capabilities = {
      catalog: true,
      chunks: true,
      sparse: false,
      referrers: true,
      deleteManifests: true,
      deleteTags: true,
      ...options.capabilities,
    };
  }

  // --- what tests look at and set up ---

  count(operation: MemoryOperation, reference?: string): number {
    return this.calls.filter(
      (call) => call.operation === operation && (reference === undefined || call.reference === reference),
    ).length;
  }

  /** `operation reference`, in order, of the given operations only. */
  log(...operations: readonly MemoryOperation[]): string[] {
    return this.calls
      .filter((call) => operations.length === 0 || operations.includes(call.operation))
      .map((call) => `${call.operation} ${call.reference}`);
  }

  /** Lets the next `times` calls of `operation` fail; only those for `reference`, if given. */
  failNext(operation: MemoryOperation, error: () => Error, times = 1, reference?: string): void {
    this.#failures.push({ operation, error, times, ...(reference === undefined ? {} : { reference }) });
  }

  /** Answers 429 with `retryAfter` milliseconds to the next `times` calls of `operation`. */
  limitNext(operation: MemoryOperation, retryAfter: number | undefined, times = 1): void {
    this.failNext(
      operation,
      () =>
        new RegistryError("transient", "429 TOOMANYREQUESTS", {
          status: 429,
          ...(retryAfter === undefined ? {} : { retryAfter }),
        }),
      times,
    );
  }

  /** The tags of a repository with their digests, as they are now. */
  tagsOf(repository: string): Record<string, string> {
    return Object.fromEntries(this.#repository(repository).tags);
  }

  addBlob(repository: string, content: Uint8Array | string, mediaType = LAYER): Descriptor {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    const digest = sha256(bytes);
    this.#repository(repository).blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.byteLength };
  }

  addManifest(repository: string, body: unknown, mediaType = MANIFEST, tag?: string): Descriptor {
    const bytes = new TextEncoder().encode(JSON.stringify(body));
    const digest = sha256(bytes);
    const stored = this.#repository(repository);
    stored.manifests.set(digest, { mediaType, digest, bytes });
    if (tag !== undefined) stored.tags.set(tag, digest);
    return { mediaType, digest, size: bytes.byteLength };
  }

  /** An image of one config and the given layers, which are texts, bytes, or descriptors of what is elsewhere. */
  addImage(
    repository: string,
    image: {
      readonly layers?: readonly (string | Uint8Array | Descriptor)[];
      readonly config?: unknown;
      readonly configType?: string;
      readonly subject?: Descriptor;
      readonly artifactType?: string;
      readonly annotations?: Readonly<Record<string, string>>;
      readonly tag?: string;
    } = {},
  ): Descriptor {
    const layers = (image.layers ?? ["layer"]).map((layer) =>
      typeof layer === "string" || layer instanceof Uint8Array ? this.addBlob(repository, layer) : layer,
    );
    const config = this.addBlob(
      repository,
      JSON.stringify(image.config ?? { os: "linux", architecture: "amd64" }),
      image.configType ?? CONFIG,
    );
    const descriptor = this.addManifest(
      repository,
      {
        schemaVersion: 2,
        mediaType: MANIFEST,
        ...(image.artifactType === undefined ? {} : { artifactType: image.artifactType }),
        config,
        layers,
        ...(image.subject === undefined ? {} : { subject: plain(image.subject) }),
        ...(image.annotations === undefined ? {} : { annotations: image.annotations }),
      },
      MANIFEST,
      image.tag,
    );
    return image.artifactType === undefined ? descriptor : { ...descriptor, artifactType: image.artifactType };
  }

  addIndex(
    repository: string,
    manifests: readonly Descriptor[],
    more: {
      readonly tag?: string;
      readonly annotations?: Readonly<Record<string, string>>;
      readonly subject?: Descriptor;
    } = {},
  ): Descriptor {
    return this.addManifest(
      repository,
      {
        schemaVersion: 2,
        mediaType: INDEX,
        manifests,
        ...(more.subject === undefined ? {} : { subject: plain(more.subject) }),
        ...(more.annotations === undefined ? {} : { annotations: more.annotations }),
      },
      INDEX,
      more.tag,
    );
  }

  /** An index `tag` of one image for each platform such as `linux/amd64` or `linux/arm64/v8`. */
  addPlatforms(repository: string, tag: string, platforms: readonly string[]): Descriptor {
    const children = platforms.map((platform): Descriptor => {
      const [os = "", architecture = "", variant] = platform.split("/");
      const image = this.addImage(repository, {
        layers: [`common to all of ${tag}`, `layer of ${tag} for ${platform}`],
        config: { os, architecture },
      });
      return { ...image, platform: { os, architecture, ...(variant === undefined ? {} : { variant }) } };
    });
    return this.addIndex(repository, children, { tag });
  }

  // --- Registry ---

  capabilities(): RegistryCapabilities {
    return this.#capabilities;
  }

  async *repositories(project?: string): AsyncIterable<readonly string[]> {
    await this.#called({ operation: "repositories", repository: "", reference: project ?? "" });
    if (!this.#capabilities.catalog) throw new RegistryError("unsupported", "no catalog", { status: 404 });
    const names = [...this.stored.keys()].filter((name) => project === undefined || name.startsWith(`${project}/`));
    yield* pages(names.sort(), this.#pageSize, this.brokenLists.has("repositories"));
  }

  async projects(): Promise<readonly string[]> {
    await this.#called({ operation: "projects", repository: "", reference: "" });
    return [...new Set([...this.stored.keys()].map((name) => name.split("/")[0] ?? name))].sort();
  }

  async check(): Promise<void> {
    await this.#called({ operation: "check", repository: "", reference: "" });
  }

  async prepare(repository: string): Promise<void> {
    await this.#called({ operation: "prepare", repository, reference: "" });
  }

  repository(name: string, access: "pull" | "push"): TargetRepository {
    const called = (operation: MemoryOperation, reference: string, bytes?: number): Promise<void> => {
      if (access === "pull" && WRITES.has(operation)) throw new Error(`${operation} with access to pull only`);
      return this.#called({ operation, repository: name, reference, ...(bytes === undefined ? {} : { bytes }) });
    };
    const stored = () => this.#repository(name);
    const find = (reference: string): ManifestContent | undefined =>
      stored().manifests.get(reference.includes(":") ? reference : (stored().tags.get(reference) ?? ""));
    const tagPages = () => pages([...stored().tags.keys()], this.#pageSize, this.brokenLists.has("tags"));
    return {
      name,
      async *tags() {
        await called("tags", "");
        yield* tagPages();
      },
      head: async (reference): Promise<ManifestHead | undefined> => {
        await called("head", reference);
        const found = find(reference);
        return found && { mediaType: found.mediaType, digest: found.digest, size: found.bytes.byteLength };
      },
      manifest: async (reference) => {
        await called("manifest", reference);
        return find(reference);
      },
      blob: async (digest, offset, signal) => {
        await called("blob", digest, offset);
        const bytes = stored().blobs.get(digest);
        if (bytes === undefined) return undefined;
        const start = this.ranges ? offset : 0;
        if (start > 0 && start >= bytes.byteLength) throw new RegistryError("refused", "range", { status: 416 });
        return { stream: this.#read(digest, bytes, start, signal), start };
      },
      referrers: async (digest) => {
        await called("referrers", digest);
        return this.#referrers(stored(), digest);
      },
      hasBlob: async (digest) => {
        await called("hasBlob", digest);
        return stored().blobs.has(digest);
      },
      mount: async (digest, from) => {
        await called("mount", digest);
        const bytes = this.mounts ? this.stored.get(from)?.blobs.get(digest) : undefined;
        if (bytes === undefined) return false;
        stored().blobs.set(digest, bytes);
        return true;
      },
      putBlob: async (blob, stream) => {
        await called("putBlob", blob.digest);
        const received: Uint8Array[] = [];
        await this.#receive(stream, blob.digest, received);
        const bytes = joined(received);
        if (bytes.byteLength !== blob.size || digestLike(blob.digest, bytes) !== blob.digest) {
          throw new RegistryError(this.direct === undefined ? "refused" : "corrupt", "DIGEST_INVALID", { status: 400 });
        }
        stored().blobs.set(blob.digest, bytes);
      },
      upload: async (resume) => {
        await called("upload", resume?.location ?? "");
        let location = resume?.location;
        if (location === undefined || !this.uploads.has(location)) {
          location = `${this.origin}/v2/${name}/blobs/uploads/${this.#nextUpload++}`;
          this.uploads.set(location, new Uint8Array());
        }
        return this.#upload(location, stored(), called);
      },
      putManifest: async (reference, content) => {
        await called("putManifest", reference);
        const digest = sha256(content.bytes);
        if (content.digest !== digest) throw new RegistryError("refused", "DIGEST_INVALID", { status: 400 });
        const body = jsonOf(content.bytes);
        this.#requireContent(stored(), body);
        const old = stored().tags.get(reference);
        if (this.immutable && old !== undefined && old !== digest) {
          throw new RegistryError("conflict", "the tag is immutable", { status: 409 });
        }
        stored().manifests.set(digest, content);
        if (!reference.includes(":")) stored().tags.set(reference, digest);
        return { subject: body.subject !== undefined && this.#capabilities.referrers };
      },
      deleteTag: async (tag) => {
        await called("deleteTag", tag);
        stored().tags.delete(tag);
      },
    };
  }

  #repository(name: string): StoredRepository {
    let stored = this.stored.get(name);
    if (stored === undefined) {
      stored = { blobs: new Map(), manifests: new Map(), tags: new Map() };
      this.stored.set(name, stored);
    }
    return stored;
  }

  async #called(call: MemoryCall): Promise<void> {
    this.calls.push(call);
    await this.before?.(call);
    const failure = this.#failures.find(
      (failure) =>
        failure.times > 0 &&
        failure.operation === call.operation &&
        (failure.reference === undefined || failure.reference === call.reference),
    );
    if (failure !== undefined) {
      failure.times--;
      throw failure.error();
    }
  }

  #read(digest: string, whole: Uint8Array, start: number, signal: AbortSignal): ReadableStream<Uint8Array> {
    let bytes = whole;
    const corrupt = this.corrupt.get(digest) ?? 0;
    if (corrupt > 0 && whole.byteLength > 0) {
      this.corrupt.set(digest, corrupt - 1);
      bytes = whole.slice();
      const last = bytes.byteLength - 1;
      bytes[last] = ((bytes[last] ?? 0) + 1) % 256;
    }
    const cut = this.cut.get(digest);
    let end = bytes.byteLength;
    const broken = cut !== undefined && cut.times > 0 && start + cut.after < end;
    if (broken) {
      cut.times--;
      end = start + cut.after;
    }
    let position = start;
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          if (this.slow > 0) await new Promise((resolve) => setTimeout(resolve, this.slow));
          if (signal.aborted) return controller.error(signal.reason);
          if (position < end) {
            const next = Math.min(end, position + this.pieceSize);
            controller.enqueue(bytes.slice(position, next));
            position = next;
          } else if (broken) controller.error(new TypeError("connection reset"));
          else controller.close();
        },
      },
      { highWaterMark: 0 },
    );
  }

  async #receive(stream: ReadableStream<Uint8Array>, key: string, received: Uint8Array[]): Promise<void> {
    const cut = this.cutUpload.get(key);
    const limit = cut !== undefined && cut.times > 0 ? cut.after : Number.POSITIVE_INFINITY;
    let length = 0;
    for await (const piece of stream) {
      received.push(piece);
      length += piece.byteLength;
      if (cut !== undefined && length > limit) {
        cut.times--;
        throw new RegistryError("transient", "connection reset");
      }
    }
  }

  #upload(
    location: string,
    stored: StoredRepository,
    called: (operation: MemoryOperation, reference: string, bytes?: number) => Promise<void>,
  ): BlobUpload {
    const bytes = () => this.uploads.get(location) ?? new Uint8Array();
    const state = (): UploadState => ({ location, offset: bytes().byteLength });
    return {
      get state() {
        return state();
      },
      resumable: this.#capabilities.chunks,
      append: async (stream, length) => {
        await called("append", location, length);
        const received: Uint8Array[] = [];
        try {
          await this.#receive(stream, "append", received);
        } finally {
          if (this.keepPartial || joined(received).byteLength === length) {
            this.uploads.set(location, joined([bytes(), ...received]));
          }
        }
        return state();
      },
      close: async (digest) => {
        await called("close", digest);
        if (digestLike(digest, bytes()) !== digest) {
          this.uploads.delete(location);
          throw new RegistryError(this.direct === undefined ? "refused" : "corrupt", "DIGEST_INVALID", { status: 400 });
        }
        stored.blobs.set(digest, bytes());
        this.uploads.delete(location);
      },
      cancel: async () => {
        await called("cancel", location);
        this.uploads.delete(location);
      },
    };
  }

  #referrers(stored: StoredRepository, digest: string): readonly Descriptor[] {
    if (!this.#capabilities.referrers) {
      const index = stored.manifests.get(stored.tags.get(digest.replace(":", "-")) ?? "");
      return index === undefined ? [] : (jsonOf(index.bytes).manifests ?? []);
    }
    return [...stored.manifests.values()].flatMap((manifest) => {
      const body = jsonOf(manifest.bytes);
      if (body.subject?.digest !== digest) return [];
      const artifactType = body.artifactType ?? body.config?.mediaType;
      return [
        {
          mediaType: manifest.mediaType,
          digest: manifest.digest,
          size: manifest.bytes.byteLength,
          ...(artifactType === undefined ? {} : { artifactType }),
          ...(body.annotations === undefined ? {} : { annotations: body.annotations }),
        },
      ];
    });
  }

  /** What registries check at a `PUT` of a manifest. */
  #requireContent(stored: StoredRepository, body: ManifestBody): void {
    for (const blob of [...(body.config === undefined ? [] : [body.config]), ...(body.layers ?? [])]) {
      const foreign = blob.urls !== undefined || blob.mediaType.includes("foreign");
      if (!foreign && !stored.blobs.has(blob.digest)) {
        throw new RegistryError("missing", `MANIFEST_BLOB_UNKNOWN: ${blob.digest}`, { status: 404 });
      }
    }
    if (this.#capabilities.sparse) return;
    for (const child of body.manifests ?? []) {
      if (!stored.manifests.has(child.digest) && !stored.blobs.has(child.digest)) {
        throw new RegistryError("refused", `MANIFEST_UNKNOWN: ${child.digest}`, { status: 400 });
      }
    }
  }
}

interface ManifestBody {
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
  readonly manifests?: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

const WRITES: ReadonlySet<MemoryOperation> = new Set(["mount", "putBlob", "upload", "putManifest", "deleteTag"]);

export function sha256(bytes: Uint8Array): Digest {
  return digestBytes("sha256", bytes);
}

/** Bytes that differ everywhere, so that a piece in the wrong place is noticed. */
export function patterned(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    bytes[index] = state >> 16;
  }
  return bytes;
}

function digestLike(digest: string, bytes: Uint8Array): string {
  return digestBytes(digestAlgorithm(digest), bytes);
}

function jsonOf(bytes: Uint8Array): ManifestBody {
  return JSON.parse(new TextDecoder().decode(bytes)) as ManifestBody;
}

function plain(descriptor: Descriptor): Descriptor {
  return { mediaType: descriptor.mediaType, digest: descriptor.digest, size: descriptor.size };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.byteLength, 0));
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.byteLength;
  }
  return whole;
}

function* pages<T>(all: readonly T[], size: number, broken: boolean): Iterable<readonly T[]> {
  for (let start = 0; start < all.length; start += size) {
    yield all.slice(start, start + size);
    if (broken) throw new RegistryError("refused", "the list may not be whole");
  }
}
