import { digestOf } from "./oci-layout.ts";

/** @see Docker's image manifest version 2, schema 2 */
export const DOCKER_TYPES = {
  manifest: "application/vnd.docker.distribution.manifest.v2+json",
  config: "application/vnd.docker.container.image.v1+json",
  layer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
} as const;

/** What the Docker daemon says it can take when it pulls. */
const ACCEPT = [
  DOCKER_TYPES.manifest,
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v1+prettyjws",
  "application/json",
].join(", ");

/** Bytes that the daemon hands to its connection at a time, more or less. */
const PIECE = 32 * 1024;

/** One request of a blob's push, as the client made it. */
export interface Exchange {
  readonly request: string;
  readonly status: number;
}

/** Sends what the Docker daemon sends, request by request. @see moby, `distribution/push_v2.go` and `pull_v2.go` */
export class DockerClient {
  readonly #base: string;

  /** @param url of the registry, without a slash at the end */
  constructor(url: string, repository: string) {
    this.#base = `${url}/v2/${repository}`;
  }

  /**
   * Pushes a blob if it is not there: HEAD, POST, one PATCH under chunked transfer coding, and a PUT without a body.
   * @throws if an answer is none of those that Docker goes on with
   */
  async pushBlob(bytes: Uint8Array): Promise<readonly Exchange[]> {
    const digest = digestOf(bytes);
    const exchanges: Exchange[] = [];
    const send = async (url: string, init: RequestInit, expected: readonly number[]): Promise<Response> => {
      const response = await fetch(url, init);
      exchanges.push({ request: init.method ?? "GET", status: response.status });
      if (expected.includes(response.status)) return response;
      throw new Error(`${init.method} ${url} answered ${response.status}: ${await response.text()}`);
    };
    const known = await send(`${this.#base}/blobs/${digest}`, { method: "HEAD" }, [200, 404]);
    if (known.status === 200) return exchanges;
    const opened = await send(`${this.#base}/blobs/uploads/`, { method: "POST" }, [202]);
    const patched = await send(locationOf(opened), streamed(bytes), [202]);
    const last = bytes.byteLength - 1;
    if (patched.headers.get("range") !== `0-${last}`) throw new Error(`Range is ${patched.headers.get("range")}`);
    const closing = new URL(locationOf(patched));
    closing.searchParams.set("digest", digest);
    await send(closing.href, { method: "PUT" }, [201]);
    return exchanges;
  }

  /** Begins to push a blob, and breaks the connection after `sent` bytes of it. Answers where the upload is. */
  async breakOff(bytes: Uint8Array, sent: number): Promise<string> {
    const location = locationOf(await fetch(`${this.#base}/blobs/uploads/`, { method: "POST" }));
    const broken = await fetch(location, streamed(bytes.subarray(0, sent), new Error("the cable"))).catch(
      () => "broken",
    );
    if (broken !== "broken") throw new Error("the request was answered although it was broken off");
    return location;
  }

  /** Pushes a manifest of Docker's own kind; answers its digest. */
  async pushManifest(tag: string, config: Uint8Array, layers: readonly Uint8Array[]): Promise<string> {
    const part = (mediaType: string, bytes: Uint8Array) => ({
      mediaType,
      size: bytes.byteLength,
      digest: digestOf(bytes),
    });
    const body = JSON.stringify({
      schemaVersion: 2,
      mediaType: DOCKER_TYPES.manifest,
      config: part(DOCKER_TYPES.config, config),
      layers: layers.map((layer) => part(DOCKER_TYPES.layer, layer)),
    });
    const response = await fetch(`${this.#base}/manifests/${tag}`, {
      method: "PUT",
      headers: { "content-type": DOCKER_TYPES.manifest },
      body,
    });
    if (response.status !== 201) throw new Error(`PUT of the manifest answered ${response.status}`);
    return response.headers.get("docker-content-digest") ?? "";
  }

  /** Asks for a manifest by tag and gets it by digest; answers its bytes. */
  async pullManifest(tag: string): Promise<Uint8Array> {
    const head = await fetch(`${this.#base}/manifests/${tag}`, { method: "HEAD", headers: { accept: ACCEPT } });
    const digest = head.headers.get("docker-content-digest") ?? "";
    return this.#get(`/manifests/${digest}`, { accept: ACCEPT });
  }

  /** Gets a blob, from byte `offset` on: Docker goes on where a pull broke off. */
  async pullBlob(digest: string, offset = 0): Promise<Uint8Array> {
    return this.#get(`/blobs/${digest}`, offset === 0 ? {} : { range: `bytes=${offset}-` });
  }

  async #get(path: string, headers: Record<string, string>): Promise<Uint8Array> {
    const response = await fetch(this.#base + path, { headers });
    if (!response.ok) throw new Error(`GET ${path} answered ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  }
}

/** A PATCH whose length is not known in advance; with `failure`, one that breaks off at its end. */
function streamed(bytes: Uint8Array, failure?: Error): RequestInit & { readonly duplex: "half" } {
  let offset = 0;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (offset < bytes.byteLength) {
        controller.enqueue(bytes.slice(offset, offset + PIECE));
        offset += PIECE;
      } else if (failure === undefined) {
        controller.close();
      } else {
        // What was handed over is on its way before the connection breaks.
        await new Promise((resolve) => setTimeout(resolve, 200));
        controller.error(failure);
      }
    },
  });
  return { method: "PATCH", headers: { "content-type": "application/octet-stream" }, body, duplex: "half" };
}

/** Docker resolves the `Location` against the address that it asked. */
function locationOf(response: Response): string {
  const location = response.headers.get("location");
  if (response.status !== 202 || location === null) throw new Error(`no upload: the answer is ${response.status}`);
  return new URL(location, response.url).href;
}
