import { readFileSync } from "node:fs";
import path from "node:path";
import type { ClientHome } from "./client-home.ts";
import { type Layout, layoutDigests } from "./oci-layout.ts";

/** Tests make their own images: no policy has a say in them. */
const INSECURE = "--insecure-policy";

/** Copies a whole image, every platform of it, from a layout to `<host>/<repository>:<tag>`. */
export async function pushLayout(home: ClientHome, layout: Layout, image: string): Promise<void> {
  await copy(home, `oci:${layout.folder}:v1`, `docker://${image}`);
}

/** Copies a whole image from a registry into a layout of its own, and answers what is in it. */
export async function pullLayout(home: ClientHome, image: string, name: string): Promise<PulledImage> {
  const folder = home.path(name);
  await copy(home, `docker://${image}`, `oci:${folder}:v1`);
  const index = JSON.parse(readFileSync(path.join(folder, "index.json"), "utf8")) as {
    readonly manifests: readonly { readonly digest: string }[];
  };
  return { digest: index.manifests[0]?.digest, digests: layoutDigests(folder) };
}

/** An image that a client has pulled. */
export interface PulledImage {
  /** Of the index, or of the manifest of an image with one platform. */
  readonly digest: string | undefined;
  /** Every digest, in order; their bytes were compared with them. */
  readonly digests: readonly string[];
}

/** Runs `skopeo copy` for every platform, between any two places, over plain HTTP. */
export async function copy(home: ClientHome, from: string, to: string, ...options: readonly string[]): Promise<void> {
  await home.run("skopeo", [
    INSECURE,
    "copy",
    "--all",
    "--preserve-digests",
    "--src-tls-verify=false",
    "--dest-tls-verify=false",
    ...options,
    from,
    to,
  ]);
}
