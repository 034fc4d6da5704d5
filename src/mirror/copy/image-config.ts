import * as z from "zod";
import type { Descriptor, Platform } from "../../oci/index.ts";
import type { SourceRepository } from "../registry.ts";

/** Configs of images that run, as opposed to those of artifacts. */
const IMAGE_CONFIGS: ReadonlySet<string> = new Set([
  "application/vnd.oci.image.config.v1+json",
  "application/vnd.docker.container.image.v1+json",
]);

/** A config is a few kilobytes; what is larger is none. */
const MAX_CONFIG = 4 * 1024 * 1024;

const text = z.string().min(1);
const platformSchema = z.object({
  os: text,
  architecture: text,
  variant: text.optional().catch(undefined),
  "os.version": text.optional().catch(undefined),
});

export function isImageConfig(mediaType: string): boolean {
  return IMAGE_CONFIGS.has(mediaType);
}

/** A config's bytes, which are not verified; `undefined` if it is not there or too large to be one. */
export async function readConfig(
  source: SourceRepository,
  config: Descriptor,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  if (config.size > MAX_CONFIG) return undefined;
  const blob = await source.blob(config.digest, 0, signal);
  if (blob === undefined) return undefined;
  const bytes = new Uint8Array(config.size);
  let length = 0;
  for await (const piece of blob.stream) {
    if (length + piece.byteLength > config.size) return undefined;
    bytes.set(piece, length);
    length += piece.byteLength;
  }
  return bytes.subarray(0, length);
}

/** What a config is, as JSON; `undefined` if it is none. */
export function configJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

/** What an image runs on, by its config; `undefined` if it does not say. @see OCI image-spec, config.md */
export function platformOf(bytes: Uint8Array): Platform | undefined {
  const parsed = platformSchema.safeParse(configJson(bytes));
  if (!parsed.success) return undefined;
  const { os, architecture, variant, "os.version": version } = parsed.data;
  // What buildx attaches to images says `unknown`, and signatures of cosign nothing.
  if (os === "unknown") return undefined;
  return {
    os,
    architecture,
    ...(variant === undefined ? {} : { variant }),
    ...(version === undefined ? {} : { "os.version": version }),
  };
}

/** A descriptor that has its content in itself. @see OCI image-spec, descriptor.md, "data" */
export function withData(descriptor: Descriptor, bytes: Uint8Array): Descriptor {
  return { ...descriptor, data: btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")) };
}
