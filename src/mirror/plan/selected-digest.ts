import { isImageConfig, parsedManifest, platformOf, readConfig } from "../copy/index.ts";
import { isIndex } from "../../oci/index.ts";
import { type ManifestHead, RegistryError, type SourceRepository } from "../registry.ts";
import { matchesPlatform, type PlatformRule, rewriteIndex, selectPlatforms } from "../rules/index.ts";

/** As deep as a copy goes. */
const MAX_DEPTH = 4;

/**
 * What an image becomes when only the platforms of a rule are copied, found out by reading its indexes at the source and
 * nothing else, as far as that decides it. `undefined` if it has none of the platforms.
 * @throws RegistryError as reading does; "missing" if the source lacks a manifest of it
 */
export async function selectedDigest(
  source: SourceRepository,
  digest: string,
  rule: PlatformRule,
  signal: AbortSignal,
): Promise<string | undefined> {
  return (await selectedManifest(source, digest, rule, signal, 0))?.digest;
}

async function selectedManifest(
  source: SourceRepository,
  digest: string,
  rule: PlatformRule,
  signal: AbortSignal,
  depth: number,
): Promise<ManifestHead | undefined> {
  if (depth > MAX_DEPTH) throw new RegistryError("unsupported", `indexes are nested more than ${MAX_DEPTH} deep`);
  const content = await source.manifest(digest);
  if (content === undefined) throw new RegistryError("missing", `${source.name} does not have the manifest ${digest}`);
  const parsed = parsedManifest(content);
  const asItIs = { mediaType: content.mediaType, digest: content.digest, size: content.bytes.byteLength };
  if (parsed.kind === "image") {
    // What an index names has its platform there.
    const [config] = depth === 0 ? parsed.blobs : [];
    const isImage = config !== undefined && isImageConfig(config.mediaType) && parsed.artifactType === config.mediaType;
    const bytes = isImage ? await readConfig(source, config, signal) : undefined;
    const platform = bytes === undefined ? undefined : platformOf(bytes);
    return platform === undefined || matchesPlatform(platform, rule) ? asItIs : undefined;
  }
  const selection = selectPlatforms({ manifests: parsed.children }, rule);
  if (!selection.ok) return undefined;
  const { kept, positions } = selection.value;
  if (rule.mode === "single") {
    const [chosen] = kept;
    if (chosen === undefined) return undefined;
    return isIndex(chosen.mediaType) ? selectedManifest(source, chosen.digest, rule, signal, depth + 1) : chosen;
  }
  const replaced = new Map<string, ManifestHead>();
  const dropped = new Set<string>();
  for (const child of new Map(kept.filter(isNested).map((child) => [child.digest, child])).values()) {
    const nested = await selectedManifest(source, child.digest, rule, signal, depth + 1);
    if (nested === undefined) dropped.add(child.digest);
    else if (nested.digest !== child.digest) replaced.set(child.digest, nested);
  }
  const left = positions.filter((position) => !dropped.has(parsed.children[position]?.digest ?? ""));
  if (left.length === 0 && dropped.size > 0) return undefined;
  if (rule.mode !== "rewrite") return asItIs;
  const { mediaType, digest: written, bytes } = rewriteIndex(content, left, replaced).content;
  return { mediaType, digest: written, size: bytes.byteLength };
}

function isNested({ mediaType }: { readonly mediaType: string }): boolean {
  return isIndex(mediaType);
}
