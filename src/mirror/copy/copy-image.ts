import { isIndex } from "../../oci/index.ts";
import { attestedBy } from "../rules/index.ts";
import { RegistryError } from "../registry.ts";
import { untilAborted } from "./abort.ts";
import { copyAttached } from "./attached-artifacts.ts";
import { type CopyContext, copyContext } from "./copy-context.ts";
import type {
  CopyItem,
  CopyOutcome,
  CopyPorts,
  CopyResult,
  CopyRules,
  CopySource,
  CopyTarget,
  TargetResult,
} from "./copy-contract.ts";
import { type ImageNode, isComplete, missing, onlyFor, readSelected, singleImage } from "./image-tree.ts";
import { parsedManifest } from "./parsed-manifest.ts";
import { TargetState } from "./target-state.ts";
import { putManifest, writeImage, writeManifest } from "./write-image.ts";
import { decideTag, NOTHING_WRITTEN } from "./written-digests.ts";

/**
 * Copies one image with all that belongs to it from a source to one or several targets, reading each blob once. At
 * every target content comes before what names it and the tag comes last, so what can be pulled is whole. Doing it
 * again does only what is still to be done. A target that fails does not hold up the others; its failure is in its
 * result.
 * @throws RegistryError if the source fails, or if all targets did; "delayed" when it is late. The signal's
 * reason when it was aborted
 */
export async function copyImage(
  item: CopyItem,
  source: CopySource,
  targets: readonly CopyTarget[],
  rules: CopyRules,
  ports: CopyPorts,
): Promise<CopyResult> {
  const context = copyContext(`${item.repository}:${item.tag}`, source, rules, ports);
  const states = targets.map((target) => new TargetState(target, item.digest));
  await untilAborted(copy(context, item, states), ports.signal);
  return resultOf(item, states);
}

async function copy(context: CopyContext, item: CopyItem, states: readonly TargetState[]): Promise<void> {
  context.stop();
  await Promise.all(states.map((state) => state.attempt(context, () => decide(context, item, state))));
  const subjects = new Set<string>();
  const unchanged = states.filter((state) => state.alive && state.outcome === "unchanged");
  let node: ImageNode | undefined;
  const open = () => states.filter((state) => state.alive && state.outcome === undefined);
  if (open().length > 0) {
    node = await readImage(context, item, open());
    for (const state of node === undefined ? [] : open()) {
      state.digest = node?.content.digest ?? item.digest;
      if (state.before !== state.digest) {
        if (state.before !== undefined && context.rules.existing === "fail") conflict(state);
      } else if (node !== undefined && isComplete(node, state)) await settle(context, item, state, "unchanged");
    }
    if (node !== undefined) {
      const states = open();
      await Promise.all(states.map((state) => state.attempt(context, () => prepareTarget(context, state))));
      await writeImage(context, onlyFor(node, new Set(states)), { top: false });
      for (const digest of node.manifests) subjects.add(digest);
      warnOfIndex(context, node, states);
    }
  }
  const { referrers, digestTags } = context.rules.artifacts;
  if (referrers || digestTags) {
    for (const state of unchanged) {
      await state.attempt(context, async () => {
        for (const digest of await manifestsAt(item, state)) subjects.add(digest);
      });
    }
    const kept = states.filter((state) => state.alive && (state.outcome ?? "unchanged") === "unchanged");
    const top = node;
    const subjectFirst = async (): Promise<void> => {
      if (top !== undefined) await writeManifest(context, onlyFor(top, new Set(open())));
    };
    if (kept.length > 0) await copyAttached(context, [...subjects], kept, subjectFirst);
  }
  if (node === undefined) return;
  const written = node;
  await Promise.all(open().map((state) => state.attempt(context, () => publish(context, item, written, state))));
}

/** Compares what the tag is at the target with what it would become. */
async function decide(context: CopyContext, item: CopyItem, state: TargetState): Promise<void> {
  const { registry, repository, tag, seen } = state.target;
  const head = seen === undefined ? await repository.head(tag) : seen.head;
  state.before = head?.digest;
  state.mediaType = head?.mediaType;
  const compared = { registry: registry.name, repository: repository.name, present: head?.digest, digest: item.digest };
  switch (await decideTag(compared, context.rules, context.ports.written)) {
    case "copy":
      return;
    case "conflict":
      return conflict(state);
    case "skip":
      return skip(state);
    case "none":
      state.outcome = "skipped";
      return;
    case "unchanged":
      state.digest = head?.digest ?? item.digest;
      state.outcome = "unchanged";
  }
}

/** Reads what is to be written; `undefined` if the image has none of the selected platforms. */
async function readImage(
  context: CopyContext,
  item: CopyItem,
  states: readonly TargetState[],
): Promise<ImageNode | undefined> {
  const { platforms } = context.rules;
  const none = async (reason: string): Promise<undefined> => {
    for (const state of states) {
      state.outcome = "skipped";
      state.warn(`it ${reason}`);
      await remember(context, item, state, NOTHING_WRITTEN);
    }
  };
  const top = platforms.mode === "single" ? await singleImage(context, item.digest) : { ...item, isTop: true };
  if ("none" in top) return await none(top.none);
  const tree = await readSelected(context, top, states, { filter: top.isTop });
  if (tree === undefined) throw missing(context, top.digest);
  return typeof tree === "string" ? await none(tree) : tree;
}

async function prepareTarget(context: CopyContext, { before, target }: TargetState): Promise<void> {
  if (before !== undefined) return;
  const { registry, repository } = target;
  const key = { work: "prepare", origin: registry.origin, repository: repository.name } as const;
  await context.placed.once(key, context.ports.signal, () => registry.prepare(repository.name));
}

/** Signatures name the digest of what they sign, which an index loses with its platforms. */
function warnOfIndex({ rules }: CopyContext, node: ImageNode, states: readonly TargetState[]): void {
  if (node.content.digest === node.sourceDigest) return;
  if (!rules.artifacts.referrers && !rules.artifacts.digestTags) return;
  for (const state of states) {
    state.warn(
      `the index was rewritten to the selected platforms: signatures and other referrers of the index itself (${node.sourceDigest}) are not copied`,
    );
  }
}

/** The manifests of an image that is at the target already, read there: that costs nothing at the source. */
async function manifestsAt(item: CopyItem, state: TargetState): Promise<readonly string[]> {
  const { repository } = state.target;
  if (!isIndex(state.mediaType ?? "")) return [state.digest];
  const content = await repository.manifest(state.digest);
  const children = content === undefined ? [] : parsedManifest(content).children;
  // What refers to an index by its digest does not refer to another one.
  const own = state.digest === item.digest ? [state.digest] : [];
  return [...own, ...children.filter((child) => attestedBy(child) === undefined).map(({ digest }) => digest)];
}

/** Sets the tag, as the last thing. */
async function publish(context: CopyContext, item: CopyItem, node: ImageNode, state: TargetState): Promise<void> {
  context.stop();
  const { repository, tag } = state.target;
  if (context.rules.existing !== "overwrite") {
    // It may have appeared while the content was on its way.
    const now = await repository.head(tag);
    if (now?.digest === node.content.digest) return await settle(context, item, state, "unchanged");
    if (now !== undefined) return context.rules.existing === "skip" ? skip(state) : conflict(state);
  }
  try {
    await putManifest(context, node, state, tag);
  } catch (error) {
    if (!(error instanceof RegistryError) || error.failure !== "conflict") throw error;
    // Some registries refuse what they have already.
    if ((await repository.head(tag))?.digest !== node.content.digest) return conflict(state, error);
  }
  await settle(context, item, state, "copied");
}

async function settle(context: CopyContext, item: CopyItem, state: TargetState, outcome: CopyOutcome): Promise<void> {
  if (context.rules.platforms.mode !== "all") await remember(context, item, state, state.digest);
  state.outcome = outcome;
}

async function remember(
  { rules, ports }: CopyContext,
  { digest }: CopyItem,
  { target: { registry, repository } }: TargetState,
  written: string,
): Promise<void> {
  const { platforms } = rules;
  await ports.written.save({ registry: registry.name, repository: repository.name, digest, platforms }, written);
}

function skip(state: TargetState): void {
  state.outcome = "skipped";
  state.warn(`${state.label}:${state.target.tag} is there and is another image; it was left as it is`);
}

function conflict(state: TargetState, error?: RegistryError): void {
  state.outcome = "conflict";
  state.fail(
    error ?? new RegistryError("conflict", `${state.label}:${state.target.tag} is there and is another image`),
  );
}

/** The worst first. */
const OUTCOMES: readonly CopyOutcome[] = ["failed", "conflict", "copied", "skipped", "unchanged"];

function resultOf(item: CopyItem, states: readonly TargetState[]): CopyResult {
  const targets = states.map((state) => state.result(state.outcome ?? "copied"));
  const failed = targets.filter(({ outcome }) => outcome === "failed");
  const [first] = failed;
  if (first !== undefined && failed.length === targets.length) throw first.error;
  const sum = (of: (result: TargetResult) => number) => targets.reduce((total, target) => total + of(target), 0);
  return {
    outcome: OUTCOMES.find((outcome) => targets.some((target) => target.outcome === outcome)) ?? "unchanged",
    digest: targets.find(({ outcome }) => outcome !== "failed")?.digest ?? item.digest,
    bytes: sum(({ bytes }) => bytes),
    blobs: {
      copied: sum(({ blobs }) => blobs.copied),
      mounted: sum(({ blobs }) => blobs.mounted),
      skipped: sum(({ blobs }) => blobs.skipped),
    },
    warnings: [...new Set(targets.flatMap(({ warnings }) => warnings))],
    targets,
  };
}
