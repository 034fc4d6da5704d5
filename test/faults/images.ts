import { createHash } from "node:crypto";
import { expect } from "vitest";
import { type Answer, body, json, query, type Repository } from "../conformance/registry-client.ts";

const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";

/** An image as these tests push it. */
export interface Image {
  readonly bytes: Uint8Array;
  readonly digest: string;
}

/** Bytes that are the same for the same seed, and for no other. */
export function someBytes(length: number, seed: string): Uint8Array {
  const block = createHash("sha512").update(seed).digest();
  const bytes = Buffer.alloc(length, block);
  bytes.write(seed.slice(0, length));
  return bytes;
}

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** Pushes a blob in one request. Resolves to its digest. */
export async function pushBlob(repository: Repository, bytes: Uint8Array): Promise<string> {
  const digest = sha256(bytes);
  const pushed = await repository.send("POST", "blobs/uploads/", query("digest", digest), body(bytes));
  expect(pushed.status).toBe(201);
  return digest;
}

/** The manifest of an image of these blobs; `note` tells it from others of the same blobs. */
export function image(config: string, layers: readonly string[], note: string): Image {
  const describe = (mediaType: string) => (digest: string) => ({ mediaType, digest, size: 1 });
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: describe("application/vnd.oci.image.config.v1+json")(config),
    layers: layers.map(describe("application/vnd.oci.image.layer.v1.tar")),
    annotations: { note },
  };
  const bytes = new TextEncoder().encode(JSON.stringify(manifest));
  return { bytes, digest: sha256(bytes) };
}

export async function pushImage(repository: Repository, { bytes }: Image, tag: string): Promise<Answer> {
  return repository.send("PUT", `manifests/${tag}`, body(bytes, MANIFEST_TYPE));
}

export async function tagsOf(repository: Repository): Promise<string[]> {
  const listed = await repository.send("GET", "tags/list");
  if (listed.status === 404) return [];
  return (json(listed) as { readonly tags: string[] }).tags;
}

/** Every tag names a manifest that can be pulled, and with it all blobs that it names, each with its digest. */
export async function expectSound(repository: Repository): Promise<void> {
  const pulled = new Set<string>();
  for (const tag of await tagsOf(repository)) {
    const manifest = await repository.send("GET", `manifests/${tag}`);
    expect(manifest.status, tag).toBe(200);
    expect(sha256(manifest.bytes)).toBe(manifest.headers.get("docker-content-digest"));
    const { config, layers } = json(manifest) as { config: { digest: string }; layers: { digest: string }[] };
    for (const { digest } of [config, ...layers]) pulled.add(digest);
  }
  for (const digest of pulled) expect(await blobStatus(repository, digest), digest).toBe(200);
}

/** 200 if the blob can be pulled, 404 if it is not there. Other answers, and other bytes than the digest's, fail. */
export async function blobStatus(repository: Repository, digest: string): Promise<number> {
  const pulled = await repository.send("GET", `blobs/${digest}`);
  expect([200, 404], pulled.request).toContain(pulled.status);
  if (pulled.status === 200) expect(sha256(pulled.bytes)).toBe(digest);
  return pulled.status;
}

/** An error as the API words it, whatever it is. */
export function expectProperError(answer: Answer): void {
  expect(answer.status, answer.request).toBeGreaterThanOrEqual(400);
  const { errors } = json(answer) as { readonly errors: { readonly code: string }[] };
  expect(errors[0]?.code).toMatch(/^[A-Z_]+$/);
  // "unknown error" tells a client nothing that it could act on.
  expect(errors[0]?.code).not.toBe("UNKNOWN");
}
