import { type Descriptor, isIndex, isManifest } from "../../oci/index.ts";
import type { ManifestContent, ManifestHead } from "../registry.ts";
import { RegistryError } from "../registry.ts";
import {
  attestedBy,
  matchesPlatform,
  type PlatformRule,
  type PlatformSelection,
  platformText,
  rewriteIndex,
  selectPlatforms,
} from "../rules/index.ts";
import type { CopyContext } from "./copy-context.ts";
import { isImageConfig, platformOf, readConfig, withData } from "./image-config.ts";
import { mapLimited } from "./map-limited.ts";
import { type ParsedManifest, parsedManifest, verifyManifest } from "./parsed-manifest.ts";
import type { TargetState } from "./target-state.ts";

/** Bounds on what one tag may lead to: without them a hostile index could keep a run busy for ever. */
const MAX_DEPTH = 4;
const MAX_NODES = 1000;
/** Manifests are kept in memory until they are written. In bytes. */
const MAX_MANIFEST_BYTES = 32 * 1024 * 1024;
const READERS = 3;
const ALL: PlatformRule = { mode: "all", select: [] };

/** A manifest that some targets lack, with what is below it. */
export interface ImageNode {
  /** As it is to be written; another one than the source has when platforms were left out. */
  readonly content: ManifestContent;
  /** Its digest at the source. */
  readonly sourceDigest: string;
  readonly parsed: ParsedManifest;
  /** Manifests below that some target lacks. */
  readonly children: readonly ImageNode[];
  /** Entries of an index that are blobs. */
  readonly looseBlobs: readonly Descriptor[];
  readonly lacking: ReadonlySet<TargetState>;
  /** Whether entries were left out that the written index still names. */
  readonly sparse: boolean;
  /** Digests, at the targets, of what may have referrers: this manifest and those below, whoever lacks them. */
  readonly manifests: readonly string[];
}

/** Where reading begins. */
export interface TreeTop {
  readonly digest: string;
  /** If it was read already. */
  readonly content?: ManifestContent;
}

export interface TreeOptions {
  /** Reads and writes the top even where it is there. */
  readonly force?: boolean;
  /** Leaves out platforms as the rules say. */
  readonly filter: boolean;
}

/**
 * Reads the manifests of an image that some of the targets lack. What a target has by digest is complete there, as
 * a registry takes a manifest only after its content, so nothing is read below it.
 * @returns `undefined` if the source does not have it, a text if it has none of the selected platforms and says which
 * @throws RegistryError "missing" if the source lacks something below, "unsupported" for what is too large or schema 1
 */
export async function readSelected(
  context: CopyContext,
  top: TreeTop,
  states: readonly TargetState[],
  options: TreeOptions,
): Promise<ImageNode | string | undefined> {
  const limits = { nodes: 0, bytes: 0 };
  const found = new Map(top.content === undefined ? [] : [[top.digest, top.content]]);
  // Under such rules an index that is there says nothing of the platforms that are.
  const thorough = options.filter && context.rules.platforms.mode !== "all";
  const read = async (
    digest: string,
    lacking: ReadonlySet<TargetState>,
    depth: number,
    path: readonly string[],
  ): Promise<ImageNode | string | undefined> => {
    context.stop();
    if (path.includes(digest)) throw new RegistryError("unsupported", `the index ${digest} contains itself`);
    if (depth > MAX_DEPTH) throw new RegistryError("unsupported", `indexes are nested more than ${MAX_DEPTH} deep`);
    if (++limits.nodes > MAX_NODES) {
      throw new RegistryError("unsupported", `the image has more than ${MAX_NODES} manifests`);
    }
    const known = found.get(digest);
    const content = known ?? (await readManifest(context, digest));
    if (content === undefined) return undefined;
    found.set(digest, content);
    if (known === undefined) limits.bytes += content.bytes.byteLength;
    if (limits.bytes > MAX_MANIFEST_BYTES) {
      throw new RegistryError("unsupported", `the manifests of the image have more than ${MAX_MANIFEST_BYTES} bytes`);
    }
    const parsed = parsedManifest(content);
    if (parsed.kind === "image") {
      // What an index names has its platform there, or is wanted without one.
      const chosen = thorough && depth === 0 ? await ofSelectedPlatform(context, parsed) : parsed;
      if (typeof chosen === "string") return chosen;
      const image = { content, sourceDigest: digest, parsed: chosen, children: [], looseBlobs: [], lacking };
      return { ...image, sparse: false, manifests: [digest] };
    }
    const selection = selectPlatforms({ manifests: parsed.children }, options.filter ? context.rules.platforms : ALL);
    // Of a nested index that has none of the platforms nothing is kept, not even itself.
    if (!selection.ok) return selection.error;
    return await readIndex(content, parsed, selection.value, lacking, depth, path);
  };

  const readIndex = async (
    index: ManifestContent,
    parsed: ParsedManifest,
    selection: PlatformSelection,
    lacking: ReadonlySet<TargetState>,
    depth: number,
    path: readonly string[],
  ): Promise<ImageNode | string> => {
    const looseBlobs: Descriptor[] = [];
    const rewriting = options.filter && context.rules.platforms.mode === "rewrite";
    const manifests: string[] = [];
    const children: ImageNode[] = [];
    const replaced = new Map<string, ManifestHead>();
    const dropped = new Map<string, string>();
    const unique = [...new Map(selection.kept.map((child) => [child.digest, child])).values()];
    const nodes = await mapLimited(unique, READERS, async (child) => {
      const childLacking =
        thorough && isIndex(child.mediaType) ? lacking : await whoLacks(context, child.digest, lacking);
      if (childLacking.size === 0) return { child, node: undefined, blob: false };
      const node = await read(child.digest, childLacking, depth + 1, [...path, index.digest]);
      if (node !== undefined) return { child, node, blob: false };
      // An entry of an unknown type may be a blob as well.
      if (!isManifest(child.mediaType)) return { child, node, blob: true };
      throw new RegistryError(
        "missing",
        `${context.source.repository.name} does not have ${child.digest}, which the index ${index.digest} names`,
      );
    });
    for (const { child, node, blob } of nodes) {
      if (typeof node === "string") {
        dropped.set(child.digest, node);
        continue;
      }
      if (blob) looseBlobs.push(child);
      else if (attestedBy(child) === undefined) manifests.push(...(node?.manifests ?? [child.digest]));
      if (node === undefined) continue;
      children.push(node);
      const { mediaType, digest, bytes } = node.content;
      if (digest !== child.digest) replaced.set(child.digest, { mediaType, digest, size: bytes.byteLength });
    }
    const positions = selection.positions.filter((position) => !dropped.has(parsed.children[position]?.digest ?? ""));
    const [reason] = dropped.values();
    if (positions.length === 0 && reason !== undefined) return reason;
    const content = rewriting ? rewriteIndex(index, positions, replaced).content : index;
    return {
      content,
      sourceDigest: index.digest,
      parsed: content === index ? parsed : parsedManifest(content),
      children,
      looseBlobs,
      lacking,
      sparse: !rewriting && (!selection.isWhole || dropped.size > 0),
      // What refers to an index by its digest does not refer to another one.
      manifests: [...(content.digest === index.digest ? [index.digest] : []), ...manifests],
    };
  };

  const lacking =
    options.force === true || thorough ? new Set(states) : await whoLacks(context, top.digest, new Set(states));
  return await read(top.digest, lacking, 0, []);
}

/** The whole of what is at the source under `digest`, whatever platforms are selected; it is written even where it is. */
export async function readWhole(
  context: CopyContext,
  digest: string,
  states: readonly TargetState[],
): Promise<ImageNode | undefined> {
  const tree = await readSelected(context, { digest }, states, { force: true, filter: false });
  return typeof tree === "string" ? undefined : tree;
}

/**
 * The one image that `select` of mode `single` chooses, at whatever depth.
 * @returns it, and whether no index is above it; or why there is none for that platform
 */
export async function singleImage(
  context: CopyContext,
  digest: string,
): Promise<(TreeTop & { readonly isTop: boolean }) | { readonly none: string }> {
  let current = digest;
  for (let depth = 0; depth <= MAX_DEPTH; depth++) {
    const content = await readManifest(context, current);
    if (content === undefined) throw missing(context, current);
    const parsed = parsedManifest(content);
    if (parsed.kind === "image") return { digest: current, content, isTop: depth === 0 };
    const selection = selectPlatforms({ manifests: parsed.children }, context.rules.platforms);
    if (!selection.ok) return { none: selection.error };
    const [chosen] = selection.value.kept;
    if (chosen === undefined) return { none: "is empty" };
    current = chosen.digest;
    if (!isIndex(chosen.mediaType)) return { digest: current, isTop: false };
  }
  throw new RegistryError("unsupported", `indexes are nested more than ${MAX_DEPTH} deep`);
}

/**
 * An image that no index says the platform of, with its config, which does: it is not read again. A text, which says
 * what it is for, if that is not selected. What is for no platform is an artifact, and wanted.
 */
async function ofSelectedPlatform(context: CopyContext, parsed: ParsedManifest): Promise<ParsedManifest | string> {
  const { source, rules, ports, placed } = context;
  const [config, ...layers] = parsed.blobs;
  if (config === undefined || !isImageConfig(config.mediaType) || parsed.artifactType !== config.mediaType)
    return parsed;
  let bytes: Uint8Array | undefined;
  // Many images may share one config.
  const platform = await placed.once({ work: "read-platform", digest: config.digest }, ports.signal, async () => {
    bytes = await readConfig(source.repository, config, ports.signal);
    return bytes === undefined ? undefined : platformOf(bytes);
  });
  if (platform !== undefined && !matchesPlatform(platform, rules.platforms)) {
    return `is for ${platformText(platform)} alone`;
  }
  return bytes === undefined ? parsed : { ...parsed, blobs: [withData(config, bytes), ...layers] };
}

/** Whether a target has all that is below an index. */
export function isComplete({ children }: ImageNode, state: TargetState): boolean {
  return children.every((child) =>
    child.parsed.kind === "image" ? !child.lacking.has(state) : isComplete(child, state),
  );
}

/** What to say when the source lacks a manifest that it names. */
export function missing(context: CopyContext, digest: string): RegistryError {
  return new RegistryError("missing", `${context.source.repository.name} does not have the manifest ${digest}`);
}

async function readManifest(context: CopyContext, digest: string): Promise<ManifestContent | undefined> {
  const found = await context.source.repository.manifest(digest);
  if (found !== undefined) verifyManifest(found, digest);
  return found;
}

/** Those of `among` that do not have the manifest. */
async function whoLacks(
  context: CopyContext,
  digest: string,
  among: ReadonlySet<TargetState>,
): Promise<ReadonlySet<TargetState>> {
  const lacking = new Set<TargetState>();
  await Promise.all(
    [...among].map((state) =>
      state.attempt(context, async () => {
        if (state.complete.has(digest)) return;
        if ((await state.target.repository.head(digest)) === undefined) lacking.add(state);
        else state.complete.add(digest);
      }),
    ),
  );
  return lacking;
}

/** The same tree, lacking at no other targets than these. */
export function onlyFor(node: ImageNode, states: ReadonlySet<TargetState>): ImageNode {
  return {
    ...node,
    lacking: new Set([...node.lacking].filter((state) => states.has(state))),
    children: node.children.map((child) => onlyFor(child, states)),
  };
}

/** Every blob of the tree with the targets that lack a manifest which names it. */
export function blobsOf(
  node: ImageNode,
  wanted: (blob: Descriptor) => boolean,
  into = new Map<string, { readonly blob: Descriptor; readonly states: Set<TargetState> }>(),
): ReadonlyMap<string, { readonly blob: Descriptor; readonly states: ReadonlySet<TargetState> }> {
  for (const blob of [...node.parsed.blobs, ...node.looseBlobs]) {
    if (!wanted(blob)) continue;
    const entry = into.get(blob.digest) ?? { blob, states: new Set<TargetState>() };
    for (const state of node.lacking) entry.states.add(state);
    into.set(blob.digest, entry);
  }
  for (const child of node.children) blobsOf(child, wanted, into);
  return into;
}
