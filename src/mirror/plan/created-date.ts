import * as z from "zod";
import type { Descriptor } from "../../oci/index.ts";
import { configJson, parsedManifest, readConfig } from "../copy/index.ts";
import { RegistryError, type SourceRepository } from "../registry.ts";

const CREATED = "org.opencontainers.image.created";

const configSchema = z.object({ created: z.string() });

/**
 * When an image says that it was created, in milliseconds since 1970: by its annotation, else by its config, that of
 * the first image for an index. `null` if it does not say.
 * @see OCI image-spec, annotations.md and config.md
 */
export async function createdDate(
  source: SourceRepository,
  digest: string,
  signal: AbortSignal,
): Promise<number | null> {
  const content = await source.manifest(digest);
  if (content === undefined) throw new RegistryError("missing", `${source.name}@${digest} is gone`);
  const manifest = parsedManifest(content);
  const said = time(manifest.annotations?.[CREATED]);
  if (said !== null) return said;
  if (manifest.kind === "index") {
    const image = manifest.children.find(({ platform }) => platform?.os !== "unknown") ?? manifest.children[0];
    if (image === undefined) return null;
    const own = time(image.annotations?.[CREATED]);
    return own ?? (await createdOfImage(source, image.digest, signal));
  }
  return await createdOfConfig(source, manifest.blobs[0], signal);
}

async function createdOfImage(source: SourceRepository, digest: string, signal: AbortSignal): Promise<number | null> {
  const content = await source.manifest(digest);
  if (content === undefined) return null;
  const manifest = parsedManifest(content);
  if (manifest.kind === "index") return null;
  return time(manifest.annotations?.[CREATED]) ?? (await createdOfConfig(source, manifest.blobs[0], signal));
}

async function createdOfConfig(
  source: SourceRepository,
  config: Descriptor | undefined,
  signal: AbortSignal,
): Promise<number | null> {
  if (config === undefined || !config.mediaType.endsWith("json")) return null;
  const bytes = await readConfig(source, config, signal);
  const parsed = configSchema.safeParse(bytes === undefined ? undefined : configJson(bytes));
  return parsed.success ? time(parsed.data.created) : null;
}

function time(text: string | undefined): number | null {
  const parsed = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(parsed) ? null : parsed;
}
