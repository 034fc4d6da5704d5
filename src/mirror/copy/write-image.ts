import { type Descriptor, isNonDistributable } from "../../oci/index.ts";
import { RegistryError } from "../registry.ts";
import { copyBlob } from "./copy-blob.ts";
import type { CopyContext } from "./copy-context.ts";
import { addToFallbackTag } from "./fallback-tag.ts";
import { blobsOf, type ImageNode, readWhole } from "./image-tree.ts";
import { mapLimited } from "./map-limited.ts";
import type { TargetState } from "./target-state.ts";

const BLOBS_AT_ONCE = 3;

/**
 * Brings an image to the targets that lack it: all blobs first, then its manifests, what contains others last. Without
 * `top`, all but the manifest at the top, which will be put under a tag.
 */
export async function writeImage(
  context: CopyContext,
  node: ImageNode,
  { top }: { readonly top: boolean } = { top: true },
): Promise<void> {
  const blobs = blobsOf(node, (blob) => wanted(context, blob));
  await mapLimited([...blobs.values()], context.rules.blobs ?? BLOBS_AT_ONCE, async ({ blob, states }) => {
    context.stop();
    const alive = [...states].filter((state) => state.alive);
    if (alive.length > 0) await (isForeignLayer(blob) ? copyForeign : copyBlob)(context, blob, alive);
  });
  const states = [...new Set(statesOf(node))];
  const nodes = top ? [node] : node.children;
  await Promise.all(
    states.map((state) =>
      state.attempt(context, async () => {
        for (const each of nodes) await writeManifests(context, each, state);
      }),
    ),
  );
}

/** Puts one manifest under its digest where it is lacking; all that it names is there. */
export async function writeManifest(context: CopyContext, node: ImageNode): Promise<void> {
  await Promise.all([...node.lacking].map((state) => state.attempt(context, () => putByDigest(context, node, state))));
}

/** Layers that registries need not have. */
function isForeignLayer({ mediaType, urls = [] }: Descriptor): boolean {
  return isNonDistributable(mediaType) || urls.length > 0;
}

function wanted({ rules }: CopyContext, blob: Descriptor): boolean {
  return rules.artifacts.foreignLayers === "include" || !isForeignLayer(blob);
}

/** Registries mostly lack foreign layers, and images work without them, so that is no failure. */
async function copyForeign(context: CopyContext, blob: Descriptor, states: readonly TargetState[]): Promise<void> {
  const opened = await context.source.repository.blob(blob.digest, 0, context.ports.signal);
  await opened?.stream.cancel();
  if (opened !== undefined) return await copyBlob(context, blob, states);
  for (const state of states) state.warn(`the foreign layer ${blob.digest} is not at the source and was left out`);
}

function* statesOf(node: ImageNode): Iterable<TargetState> {
  yield* node.lacking;
  for (const child of node.children) yield* statesOf(child);
}

async function writeManifests(context: CopyContext, node: ImageNode, state: TargetState): Promise<void> {
  for (const child of node.children) await writeManifests(context, child, state);
  await putByDigest(context, node, state);
}

async function putByDigest(context: CopyContext, node: ImageNode, state: TargetState): Promise<void> {
  const { digest } = node.content;
  if (!node.lacking.has(state) || state.complete.has(digest)) return;
  context.stop();
  await putManifest(context, node, state, digest);
  state.complete.add(digest);
}

/**
 * Puts a manifest under its digest or a tag. A target that says that content is missing is looked at once more: its
 * garbage collection may have taken what no manifest named yet.
 */
export async function putManifest(
  context: CopyContext,
  node: ImageNode,
  state: TargetState,
  reference: string,
): Promise<void> {
  const { repository, registry } = state.target;
  let answer: { readonly subject: boolean };
  try {
    answer = await repository.putManifest(reference, node.content);
  } catch (error) {
    if (await isThereAlready(error, node, state, reference)) return;
    if (!saysContentIsMissing(error)) throw error;
    const repaired = await repair(context, node, state);
    if (!repaired && node.sparse) {
      throw new RegistryError("unsupported", `sparse indexes are not accepted by ${registry.name}: use mode rewrite`, {
        cause: error,
      });
    }
    if (!repaired) throw error;
    context.log("info", `${state.label} lacked content of ${node.content.digest}, which was sent again`);
    answer = await repository.putManifest(reference, node.content);
  }
  state.wrote = true;
  const { subject } = node.parsed;
  if (subject !== undefined && !answer.subject) {
    await addToFallbackTag(context, state, subject.digest, asReferrer(node));
  }
}

/** Some registries refuse to take what they have, as ECR does where tags are immutable. */
async function isThereAlready(
  error: unknown,
  { content }: ImageNode,
  { target }: TargetState,
  reference: string,
): Promise<boolean> {
  if (!(error instanceof RegistryError) || error.failure !== "conflict") return false;
  return (await target.repository.head(reference))?.digest === content.digest;
}

function saysContentIsMissing(error: unknown): boolean {
  return (
    error instanceof RegistryError &&
    (error.failure === "missing" || error.failure === "refused") &&
    (error.status === undefined || error.status === 400 || error.status === 404)
  );
}

/** Copies what the manifest names and the target lacks; answers whether there was anything. */
async function repair(context: CopyContext, node: ImageNode, state: TargetState): Promise<boolean> {
  const { repository } = state.target;
  let repaired = false;
  for (const blob of [...node.parsed.blobs, ...node.looseBlobs]) {
    if (!wanted(context, blob) || (await repository.hasBlob(blob.digest))) continue;
    await copyBlob(context, blob, [state]);
    repaired = true;
  }
  const entries = new Set<string>(node.parsed.children.map(({ digest }) => digest));
  for (const { digest } of node.looseBlobs) entries.delete(digest);
  const written = new Map<string, ImageNode>(node.children.map((child) => [child.content.digest, child]));
  const expected = node.sparse ? node.manifests : [...entries];
  for (const digest of expected) {
    if (digest === node.content.digest || (await repository.head(digest)) !== undefined) continue;
    state.complete.delete(digest);
    const child = written.get(digest);
    const tree =
      child === undefined
        ? await readWhole(context, digest, [state])
        : { ...child, lacking: new Set([...child.lacking, state]) };
    if (tree === undefined) continue;
    await writeImage(context, tree);
    repaired = true;
  }
  if (!state.alive) throw state.error;
  return repaired;
}

/** What a list of referrers says of a manifest. @see OCI distribution-spec, "Listing Referrers" */
function asReferrer({ content, parsed }: ImageNode): Descriptor {
  return {
    mediaType: content.mediaType,
    digest: content.digest,
    size: content.bytes.byteLength,
    ...(parsed.artifactType === undefined ? {} : { artifactType: parsed.artifactType }),
    ...(parsed.annotations === undefined ? {} : { annotations: parsed.annotations }),
  };
}
