import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { Readable } from "node:stream";
import { MemoryRegistry } from "../../src/mirror/memory-registry.fixture.ts";
import { RegistryError } from "../../src/mirror/index.ts";
import type { Certificate } from "../../src/selfhost/tls.ts";

/** A registry in memory that listens on loopback. */
export interface HttpRegistry {
  readonly registry: MemoryRegistry;
  readonly url: string;
  /** Method and path of each request. */
  readonly requests: string[];
  close(): void;
}

export async function startHttpRegistry(name: string, certificate?: Certificate): Promise<HttpRegistry> {
  const registry = new MemoryRegistry({ name });
  const requests: string[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    requests.push(`${request.method} ${request.url}`);
    answer(registry, request, response).catch((error: unknown) => {
      response.writeHead(error instanceof RegistryError ? (error.status ?? 500) : 500).end(String(error));
    });
  };
  const server = certificate === undefined ? createServer(listener) : createSecureServer(certificate, listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    registry,
    url: `${certificate === undefined ? "http" : "https"}://127.0.0.1:${address.port}`,
    requests,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(registry: MemoryRegistry, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://registry");
  const method = request.method ?? "GET";
  const send = (status: number, headers: Record<string, string> = {}, body?: string | Uint8Array): void => {
    response.writeHead(status, headers).end(method === "HEAD" ? undefined : body);
  };
  const match = /^\/v2\/(.+)\/(tags|manifests|blobs|referrers)\/(.+)$/.exec(url.pathname);
  if (match === null) return send(url.pathname === "/v2/" ? 200 : 404);
  const [, name = "", kind = "", reference = ""] = match;
  const repository = registry.repository(name, "push");
  if (kind === "tags") {
    const tags: string[] = [];
    for await (const page of repository.tags()) tags.push(...page);
    return send(200, { "content-type": "application/json" }, JSON.stringify({ name, tags }));
  }
  if (kind === "referrers") {
    const body = { schemaVersion: 2, manifests: await repository.referrers(reference) };
    return send(200, { "content-type": "application/vnd.oci.image.index.v1+json" }, JSON.stringify(body));
  }
  if (kind === "manifests" && method === "PUT") {
    const content = { mediaType: request.headers["content-type"] ?? "", bytes: await bytesOf(request) };
    const { digest } = registry.addBlob("scratch", content.bytes);
    await repository.putManifest(reference, { ...content, digest });
    return send(201, { "docker-content-digest": digest });
  }
  if (kind === "manifests") {
    if (method === "HEAD") await repository.head(reference);
    const found = await repository.manifest(reference);
    if (found === undefined) return send(404);
    const headers = { "content-type": found.mediaType, "docker-content-digest": found.digest };
    return send(200, { ...headers, "content-length": String(found.bytes.byteLength) }, found.bytes);
  }
  if (method === "POST") return send(202, { location: `/v2/${name}/blobs/uploads/1` });
  if (method === "PUT") {
    registry.addBlob(name, await bytesOf(request));
    return send(201);
  }
  const bytes = registry.stored.get(name)?.blobs.get(reference);
  if (bytes === undefined) return send(404);
  if (method === "HEAD") return send(200, { "content-length": String(bytes.byteLength) });
  const blob = await repository.blob(reference, 0, new AbortController().signal);
  if (blob === undefined) return send(404);
  response.writeHead(200, { "content-length": String(bytes.byteLength) });
  Readable.from(blob.stream)
    .on("error", () => response.destroy())
    .pipe(response);
}

async function bytesOf(request: IncomingMessage): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of request) pieces.push(piece as Uint8Array);
  return new Uint8Array(Buffer.concat(pieces));
}
