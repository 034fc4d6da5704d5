import { digestBytes } from "../../oci/index.ts";
import type { ManifestContent, ManifestHead } from "../registry.ts";
import { REFERENCE_DIGEST } from "./select-platforms.ts";

/** Which index an index was made from. */
export const SOURCE_DIGEST = "dev.entrepot.mirror.source-digest";

/** An index of its own, and what became of which digest: the index itself and all that it names. */
export interface RewrittenIndex {
  readonly content: ManifestContent;
  /** Source digest -> digest at the target. */
  readonly digests: ReadonlyMap<string, string>;
}

type Json = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * An index with only the entries at the given positions, of the same media type and with all else as it was, and with an
 * annotation that names the index it was made from. `written` says which manifests (nested indexes, by source digest)
 * are other ones at the target. Equal input gives equal bytes. An index of which all is kept as it is stays itself.
 * @throws {Error} if the bytes are no index
 */
export function rewriteIndex(
  source: ManifestContent,
  positions: readonly number[],
  written: ReadonlyMap<string, ManifestHead> = new Map(),
): RewrittenIndex {
  const index: unknown = JSON.parse(new TextDecoder().decode(source.bytes));
  if (!isRecord(index) || !Array.isArray(index["manifests"])) throw new Error(`${source.digest} is no index`);
  const all: readonly unknown[] = index["manifests"];
  const places = new Set(positions);
  const kept = all.filter((_, position) => places.has(position)).filter(isRecord);
  const digests = new Map(
    kept.map(({ digest }) => [String(digest), written.get(String(digest))?.digest ?? String(digest)]),
  );
  const isSame = kept.length === all.length && [...digests].every(([before, after]) => before === after);
  const content = isSame
    ? source
    : contentOf(source, {
        ...index,
        manifests: kept.map((entry) => rewrittenEntry(entry, written)),
        annotations: { ...recordOf(index["annotations"]), [SOURCE_DIGEST]: source.digest },
      });
  return { content, digests: new Map([[source.digest, content.digest], ...digests]) };
}

function rewrittenEntry(entry: Json, written: ReadonlyMap<string, ManifestHead>): Json {
  const other = written.get(String(entry["digest"]));
  // The data of a descriptor is the content that it once had.
  const { data: _data, ...rest } = entry;
  const described =
    other === undefined || other.digest === entry["digest"]
      ? entry
      : { ...rest, mediaType: other.mediaType, digest: other.digest, size: other.size };
  const annotations = described["annotations"];
  const subject = isRecord(annotations) ? written.get(String(annotations[REFERENCE_DIGEST])) : undefined;
  if (subject === undefined || !isRecord(annotations)) return described;
  return { ...described, annotations: { ...annotations, [REFERENCE_DIGEST]: subject.digest } };
}

function contentOf({ mediaType }: ManifestContent, index: Json): ManifestContent {
  const bytes = new TextEncoder().encode(JSON.stringify(index));
  return { mediaType, digest: digestBytes("sha256", bytes), bytes };
}

function recordOf(value: unknown): Json {
  return isRecord(value) ? value : {};
}
