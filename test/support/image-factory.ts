import { createCipheriv, createHash } from "node:crypto";
import { pseudoRandom } from "./tar.ts";
import { digestOf } from "./oci-layout.ts";

/** @see OCI image-spec, descriptor.md */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly platform?: { readonly os: string; readonly architecture: string; readonly variant?: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** How an image is made. */
export interface ImageOptions {
  /** Images of the same seed are the same bytes. */
  readonly seed: string;
  /** Sizes of new layers in bytes, or layers that are there. */
  readonly layers?: readonly (number | Descriptor)[];
  readonly tag?: string;
  readonly config?: Descriptor;
  /** `linux/arm64/v8`; `linux/amd64` if not given. */
  readonly platform?: string;
  readonly subject?: Descriptor;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A manifest as a registry keeps it. */
export interface FetchedManifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly body: {
    readonly manifests?: readonly Descriptor[];
    readonly config?: Descriptor;
    readonly layers?: readonly Descriptor[];
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

export const TYPES = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
  empty: "application/vnd.oci.empty.v1+json",
  signature: "application/vnd.dev.cosign.artifact.sig.v1+json",
  chartConfig: "application/vnd.cncf.helm.config.v1+json",
  chart: "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
} as const;

const ACCEPT = [
  TYPES.index,
  TYPES.manifest,
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/** Ten platforms, as large official images have them. */
export const TEN_PLATFORMS = [
  "linux/amd64",
  "linux/arm64/v8",
  "linux/arm/v7",
  "linux/arm/v6",
  "linux/arm/v5",
  "linux/386",
  "linux/ppc64le",
  "linux/s390x",
  "linux/riscv64",
  "linux/mips64le",
] as const;

const MIB = 1024 * 1024;

/** Makes images in one repository by plain requests to the registry, much faster than a client would. */
export class ImageFactory {
  readonly #base: string;

  constructor(url: string, repository: string) {
    this.#base = `${url}/v2/${repository}`;
  }

  /** Pushes a blob in one request. */
  async blob(bytes: Uint8Array, mediaType: string = TYPES.layer): Promise<Descriptor> {
    const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
    await this.#putBlob(descriptor, new Uint8Array(bytes));
    return descriptor;
  }

  /** Pushes a layer of any size without holding it in memory. Its bytes do not compress. */
  async largeLayer(seed: string, size: number): Promise<Descriptor> {
    const hash = createHash("sha256");
    for (const piece of pieces(seed, size)) hash.update(piece);
    const descriptor = { mediaType: TYPES.layer, digest: `sha256:${hash.digest("hex")}`, size };
    await this.#putBlob(descriptor, streamOf(pieces(seed, size)));
    return descriptor;
  }

  /** Pushes a manifest under its digest, or under `tag`. */
  async manifest(body: object, mediaType: string, tag?: string): Promise<Descriptor> {
    const bytes = Buffer.from(JSON.stringify(body));
    const digest = digestOf(bytes);
    await expectStatus(201, `${this.#base}/manifests/${tag ?? digest}`, {
      method: "PUT",
      headers: { "content-type": mediaType },
      body: new Uint8Array(bytes),
    });
    return { mediaType, digest, size: bytes.byteLength };
  }

  /** An image, or whatever has the form of one. */
  async image(options: ImageOptions): Promise<Descriptor> {
    const { seed, platform = "linux/amd64", tag, subject, artifactType, annotations } = options;
    const layers: Descriptor[] = [];
    for (const [number, layer] of (options.layers ?? [1024]).entries()) {
      layers.push(typeof layer === "number" ? await this.blob(pseudoRandom(`${seed} ${number}`, layer)) : layer);
    }
    const target = platformOf(platform);
    const config =
      options.config ??
      (await this.blob(Buffer.from(JSON.stringify({ ...target, config: { Labels: { seed } } })), TYPES.config));
    const body = { schemaVersion: 2, mediaType: TYPES.manifest, artifactType, config, layers, subject, annotations };
    const descriptor = await this.manifest(body, TYPES.manifest, tag);
    const typed = { ...descriptor, ...(artifactType === undefined ? {} : { artifactType }) };
    if (subject !== undefined) await this.#noteReferrer(subject.digest, typed);
    return { ...typed, platform: target };
  }

  async index(manifests: readonly Descriptor[], tag?: string, more: object = {}): Promise<Descriptor> {
    return this.manifest({ schemaVersion: 2, mediaType: TYPES.index, manifests, ...more }, TYPES.index, tag);
  }

  /**
   * An index `tag` with an image for each platform. They share a layer, and have one of their own. With `attestations`
   * each has an attestation in the index, as BuildKit makes them.
   */
  async platforms(
    tag: string,
    platforms: readonly string[],
    options: { readonly layerBytes?: number; readonly attestations?: boolean } = {},
  ): Promise<{ readonly index: Descriptor; readonly images: readonly Descriptor[] }> {
    const { layerBytes = 2048, attestations = false } = options;
    const common = await this.blob(pseudoRandom(`${tag} common`, layerBytes));
    const images: Descriptor[] = [];
    const attested: Descriptor[] = [];
    for (const platform of platforms) {
      const image = await this.image({ seed: `${tag} ${platform}`, platform, layers: [common, layerBytes] });
      images.push(image);
      if (!attestations) continue;
      const attestation = await this.image({ seed: `${tag} ${platform} attestation`, layers: [300] });
      attested.push({
        ...attestation,
        platform: { os: "unknown", architecture: "unknown" },
        annotations: {
          "vnd.docker.reference.type": "attestation-manifest",
          "vnd.docker.reference.digest": image.digest,
        },
      });
    }
    return { index: await this.index([...images, ...attested], tag), images };
  }

  /** Something that refers to a manifest by its `subject`, such as a signature. */
  async referrer(subject: Descriptor, seed: string, artifactType: string = TYPES.signature): Promise<Descriptor> {
    const config = await this.blob(Buffer.from("{}"), TYPES.empty);
    const { mediaType, digest, size } = subject;
    return this.image({ seed, layers: [200], config, artifactType, subject: { mediaType, digest, size } });
  }

  /** A signature under the tag that cosign derives from the digest. */
  async cosignTag(subject: Descriptor, suffix = "sig"): Promise<Descriptor> {
    const tag = `${subject.digest.replace(":", "-")}.${suffix}`;
    return this.image({ seed: tag, layers: [200], tag });
  }

  /** A Helm chart. */
  async chart(name: string, version: string): Promise<Descriptor> {
    const config = await this.blob(Buffer.from(JSON.stringify({ name, version, apiVersion: "v2" })), TYPES.chartConfig);
    const layer = await this.blob(pseudoRandom(`${name} ${version}`, 4000), TYPES.chart);
    return this.image({ seed: `${name} ${version}`, config, layers: [layer], tag: version });
  }

  /** Images `<prefix>0`, `<prefix>1`, … that share a config and a layer; each has a small layer of its own. */
  async manyTags(prefix: string, count: number, platform = "linux/amd64"): Promise<void> {
    const config = await this.blob(Buffer.from(JSON.stringify(platformOf(platform))), TYPES.config);
    const shared = await this.blob(pseudoRandom(`${prefix} shared`, 4096));
    const numbers = Array.from({ length: count }, (_, number) => number);
    await inParallel(8, numbers, async (number) => {
      await this.image({ seed: `${prefix}${number}`, config, layers: [shared, 512], tag: `${prefix}${number}` });
    });
  }

  /** Removes a manifest, and with it its tags. */
  async remove(digest: string): Promise<void> {
    await expectStatus(202, `${this.#base}/manifests/${digest}`, { method: "DELETE" });
  }

  /** Points a tag at a manifest that is there. */
  async retag(digest: string, tag: string): Promise<void> {
    const there = await this.#fetchManifest(digest);
    if (there === undefined) throw new Error(`${this.#base} has no ${digest}`);
    const headers = { "content-type": there.mediaType };
    await expectStatus(201, `${this.#base}/manifests/${tag}`, { method: "PUT", headers, body: there.text });
  }

  /** The digest that a tag stands for; `undefined` if there is no such tag. */
  async digest(reference: string): Promise<string | undefined> {
    return (await this.#fetchManifest(reference))?.digest;
  }

  /** @throws if it is not there */
  async fetch(reference: string): Promise<FetchedManifest> {
    const found = await this.#fetchManifest(reference);
    if (found === undefined) throw new Error(`${this.#base} has no ${reference}`);
    return { digest: found.digest, mediaType: found.mediaType, body: JSON.parse(found.text) };
  }

  async tags(): Promise<readonly string[]> {
    const tags: string[] = [];
    let next: string | undefined = `${this.#base}/tags/list?n=1000`;
    while (next !== undefined) {
      const response: Response = await fetch(next);
      if (response.status === 404) return [];
      const page = (await response.json()) as { readonly tags: readonly string[] | null };
      tags.push(...(page.tags ?? []));
      const link = /<([^>]+)>/.exec(response.headers.get("link") ?? "")?.[1];
      next = link === undefined ? undefined : new URL(link, this.#base).href;
    }
    return tags;
  }

  /** What refers to a manifest, by the API. */
  async referrers(digest: string): Promise<readonly string[]> {
    const response = await fetch(`${this.#base}/referrers/${digest}`);
    if (response.status === 404) return this.#referrersByTag(digest);
    const { manifests } = (await response.json()) as { readonly manifests: readonly Descriptor[] };
    return manifests.map((manifest) => manifest.digest).sort();
  }

  /**
   * Every digest below a reference that is not there, or whose bytes are others: nothing, if it can be pulled.
   * Entries of an index are looked at unless they are not in `only`.
   */
  async broken(reference: string, only?: (entry: Descriptor) => boolean): Promise<readonly string[]> {
    const found = await this.#fetchManifest(reference);
    if (found === undefined) return [reference];
    const { manifests = [], config, layers = [] } = JSON.parse(found.text) as FetchedManifest["body"];
    const broken: string[] = [];
    for (const blob of [...(config === undefined ? [] : [config]), ...layers]) {
      const response = await fetch(`${this.#base}/blobs/${blob.digest}`);
      const hash = createHash("sha256");
      for await (const piece of response.body ?? []) hash.update(piece);
      if (response.status !== 200 || `sha256:${hash.digest("hex")}` !== blob.digest) broken.push(blob.digest);
    }
    for (const entry of manifests) {
      if (only === undefined || only(entry)) broken.push(...(await this.broken(entry.digest)));
    }
    return broken;
  }

  /** The fallback tag of a registry without the referrers API. */
  async #referrersByTag(digest: string): Promise<readonly string[]> {
    const found = await this.#fetchManifest(digest.replace(":", "-"));
    if (found === undefined) return [];
    const { manifests = [] } = JSON.parse(found.text) as FetchedManifest["body"];
    return manifests.map((manifest) => manifest.digest).sort();
  }

  /** What a client does for a registry without the referrers API. @see distribution-spec, "Pushing Manifests with Subject" */
  async #noteReferrer(subject: string, referrer: Descriptor): Promise<void> {
    const response = await fetch(`${this.#base}/referrers/${subject}`);
    await response.body?.cancel();
    if (response.ok) return;
    const tag = subject.replace(":", "-");
    const listed = await this.#fetchManifest(tag);
    const manifests =
      listed === undefined ? [] : ((JSON.parse(listed.text) as FetchedManifest["body"]).manifests ?? []);
    await this.index([...manifests, referrer], tag);
  }

  async #fetchManifest(reference: string) {
    const response = await fetch(`${this.#base}/manifests/${reference}`, { headers: { accept: ACCEPT } });
    const bytes = Buffer.from(await response.arrayBuffer());
    if (response.status === 404) return undefined;
    if (response.status !== 200) throw new Error(`${response.url}: ${response.status} ${bytes.toString("utf8")}`);
    const mediaType = response.headers.get("content-type") ?? "";
    return { digest: digestOf(bytes), mediaType, text: bytes.toString("utf8") };
  }

  async #putBlob({ digest, size }: Descriptor, body: Uint8Array<ArrayBuffer> | ReadableStream): Promise<void> {
    const opened = await expectStatus(202, `${this.#base}/blobs/uploads/`, { method: "POST" });
    const location = new URL(opened.headers.get("location") ?? "", this.#base);
    location.searchParams.set("digest", digest);
    const headers = { "content-type": "application/octet-stream", "content-length": String(size) };
    const init = { method: "PUT", headers, body, duplex: "half" };
    await expectStatus(201, location.href, init);
  }
}

/** Runs `work` for each of `items`, `limit` at a time. */
export async function inParallel<T>(
  limit: number,
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: limit }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}

/** The same bytes for the same seed, piece by piece. */
function* pieces(seed: string, size: number): Generator<Uint8Array<ArrayBuffer>> {
  const key = createHash("sha256").update(seed).digest().subarray(0, 16);
  const cipher = createCipheriv("aes-128-ctr", key, Buffer.alloc(16));
  const zeros = Buffer.alloc(MIB);
  for (let left = size; left > 0; left -= MIB) yield cipher.update(left < MIB ? zeros.subarray(0, left) : zeros);
}

function streamOf(pieces: Iterator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      const { done, value } = pieces.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
  });
}

function platformOf(text: string): { os: string; architecture: string; variant?: string } {
  const [os = "", architecture = "", variant] = text.split("/");
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

async function expectStatus(status: number, url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  if (response.status !== status) {
    throw new Error(`${init.method} ${url} answered ${response.status}: ${await response.text()}`);
  }
  await response.body?.cancel();
  return response;
}
