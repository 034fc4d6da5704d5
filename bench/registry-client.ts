import type { Payload } from "./payload.ts";
import { exchange } from "./wire.ts";

/** How a blob is pushed: as docker does, of unknown length in a `PATCH`, or whole in the closing `PUT`. */
export type PushStyle = "chunked" | "monolithic";

/** Pushes a blob to any registry: `POST`, then `PATCH` and `PUT`, or `PUT` alone. */
export async function pushBlob(registry: string, repository: string, blob: Payload, style: PushStyle): Promise<void> {
  const opened = await exchange({ method: "POST", url: `${registry}/v2/${repository}/blobs/uploads/` });
  if (style === "monolithic") {
    await exchange({ method: "PUT", url: closing(opened.location, blob), body: blob, coding: "length" });
    return;
  }
  const patched = await exchange({ method: "PATCH", url: opened.location ?? "", body: blob, coding: "chunked" });
  await exchange({ method: "PUT", url: closing(patched.location, blob) });
}

/** Reads something to its end. @throws if it has another size than it should */
export async function download(url: string, size: number): Promise<void> {
  const { received } = await exchange({ method: "GET", url });
  if (received !== size) throw new Error(`${url}: ${received} of ${size} bytes`);
}

/** An image manifest of these blobs. The first is the config. */
export function imageManifest([config, ...layers]: readonly Payload[]): string {
  const descriptor = (kind: string, blob: Payload | undefined): unknown => ({
    mediaType: `application/vnd.oci.image.${kind}`,
    digest: blob?.digest,
    size: blob?.size,
  });
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: descriptor("config.v1+json", config),
    layers: layers.map((layer) => descriptor("layer.v1.tar+gzip", layer)),
  });
}

const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";

/** Pushes a manifest; `reference` is a tag or a digest, with a query if need be. Resolves to its digest. */
export async function putManifest(
  registry: string,
  repository: string,
  reference: string,
  manifest: string,
): Promise<string> {
  const response = await fetch(`${registry}/v2/${repository}/manifests/${reference}`, {
    method: "PUT",
    headers: { "content-type": MANIFEST_TYPE },
    body: manifest,
  });
  if (!response.ok) throw new Error(`manifest of ${repository}: ${response.status} ${await response.text()}`);
  return response.headers.get("docker-content-digest") ?? "";
}

function closing(location: string | undefined, blob: Payload): string {
  const url = new URL(location ?? "");
  url.searchParams.set("digest", blob.digest);
  return url.href;
}
