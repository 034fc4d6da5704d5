import { changesDigest, decideTag } from "../copy/index.ts";
import { type ManifestHead, RegistryError, type TargetRepository } from "../registry.ts";
import { type ExistingDecision, existingDecision } from "../rules/index.ts";
import {
  type CheckedImage,
  type ImageName,
  messageOf,
  type MirrorTask,
  type PlanPorts,
  trying,
} from "./mirror-task.ts";
import { selectedDigest } from "./selected-digest.ts";
import { type NameAtTarget, namesAtTargets } from "./target-names.ts";

/** What is to be done about an image at one target. */
export interface PlannedTarget extends NameAtTarget {
  readonly state: ExistingDecision;
  /** Why it is skipped. */
  readonly reason?: string;
  /** What the tag is there now. */
  readonly present?: string;
  /** The same, if it was looked at: a copy that follows at once does not look again. */
  readonly seen?: { readonly head: ManifestHead | undefined };
}

/** What is to be done about an image. */
export interface PlannedItem extends ImageName {
  /**
   * `copy`: at least one target wants it. `attached`: all targets have it, and it is looked at for new signatures.
   * `refused`: the rules make a name of it that is not legal. `collides`: another image of the plan has its name at a
   * target. `failed`: nothing could be found out about it.
   */
  readonly state: ExistingDecision | "attached" | "refused" | "collides" | "failed";
  /** Why it is none of `copy`, `attached` and `unchanged`. */
  readonly reason?: string;
  readonly error?: unknown;
  /** What the tag stands for at the source. */
  readonly digest?: string;
  readonly mediaType?: string;
  /** Bytes of the manifest. */
  readonly size?: number;
  readonly targets: readonly PlannedTarget[];
}

/** How thoroughly an image is looked at. */
export interface LookOptions {
  /** All tags of the source's repository, if they are known. */
  readonly listed?: ReadonlySet<string> | undefined;
  /**
   * No copy follows, which would find out the rest. So what is selected of the image is found out at the source, unless
   * that is remembered, by reads of manifests; and one target that refuses it makes it a conflict, as after a copy.
   */
  readonly dryRun?: boolean;
}

/** Decides about one image apart from a whole plan, as before another attempt at it. It does not fail, but for the signal. */
export async function planItem(task: MirrorTask, name: ImageName, ports: PlanPorts): Promise<PlannedItem> {
  const names = namesAtTargets(task, name);
  if (typeof names === "string") return { ...name, state: "refused", reason: names, targets: [] };
  return await compareItem(task, name, names, {}, ports);
}

/**
 * Compares an image with what the targets have: one `HEAD` at each side. It does not fail, but for the signal and
 * "delayed": what goes wrong is in the item.
 */
export async function compareItem(
  task: MirrorTask,
  name: ImageName,
  names: readonly NameAtTarget[],
  options: LookOptions,
  ports: PlanPorts,
): Promise<PlannedItem> {
  try {
    const source = task.source.repository(name.repository, "pull");
    const head = await trying(`${name.repository}:${name.tag}`, task, ports, () => source.head(name.tag));
    if (head === undefined) return { ...name, state: "skip", reason: "the tag is gone from the source", targets: [] };
    const inside = options.dryRun === true ? once(() => insideOf(task, name, head.digest, ports)) : undefined;
    const targets = await Promise.all(names.map((there) => planTarget(task, there, head.digest, inside, ports)));
    const item = { ...name, digest: head.digest, mediaType: head.mediaType, size: head.size, targets };
    const state = combined(targets, options.dryRun === true ? REFUSED_FIRST : COPIED_FIRST);
    if (state === "conflict") return { ...item, state, reason: OTHER_IMAGE };
    if (state === "skip") {
      return { ...item, state, reason: targets.find(({ reason }) => reason !== undefined)?.reason ?? SKIPPED };
    }
    if (state === "unchanged" && (await wantsAttached(task, item, options.listed, ports)))
      return { ...item, state: "attached" };
    return { ...item, state };
  } catch (error) {
    ports.signal.throwIfAborted();
    if (error instanceof RegistryError && error.failure === "delayed") throw error;
    return { ...name, state: "failed", reason: messageOf(error), error, targets: [] };
  }
}

/** Does something when it is first asked for, and only then. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => (result ??= work());
}

/** What the image becomes with the selected platforms; `undefined` if it has none of them. */
async function insideOf(
  task: MirrorTask,
  { repository, tag }: ImageName,
  digest: string,
  ports: PlanPorts,
): Promise<string | undefined> {
  const source = task.source.repository(repository, "pull");
  return await trying(`the platforms of ${repository}:${tag}`, task, ports, () =>
    selectedDigest(source, digest, task.rules.platforms, ports.signal),
  );
}

async function planTarget(
  task: MirrorTask,
  there: NameAtTarget,
  digest: string,
  inside: (() => Promise<string | undefined>) | undefined,
  ports: PlanPorts,
): Promise<PlannedTarget> {
  const { registry } = there.target;
  const { platforms, existing } = task.rules;
  const what = `${there.repository}:${there.tag} at ${registry.name}`;
  const head = await trying(what, task, ports, () => registry.repository(there.repository, "push").head(there.tag));
  const compared = { registry: registry.name, repository: there.repository, present: head?.digest, digest };
  let decision = await decideTag(compared, task.rules, ports.written);
  if (inside !== undefined && platforms.mode !== "all" && decision === "copy") {
    const known = await ports.written.load({
      registry: registry.name,
      repository: there.repository,
      digest,
      platforms,
    });
    const expected = known ?? (await inside());
    if (expected === undefined) decision = "none";
    // Whether all of an index that may lack platforms is there, only a copy can tell.
    else if (changesDigest(platforms)) decision = existingDecision({ target: head?.digest, expected, rule: existing });
  }
  const about = { ...there, seen: { head }, ...(head === undefined ? {} : { present: head.digest }) };
  return decision === "none"
    ? { ...about, state: "skip", reason: "it has none of the selected platforms" }
    : { ...about, state: decision };
}

export const OTHER_IMAGE = "the tag is another image at the target";
const SKIPPED = "the tag is there and is another image";

/** What matters most of several targets: to a copy that others want it, to its outcome that some refuse it. */
const COPIED_FIRST: readonly ExistingDecision[] = ["copy", "conflict", "skip", "unchanged"];
const REFUSED_FIRST: readonly ExistingDecision[] = ["conflict", "copy", "skip", "unchanged"];

function combined(targets: readonly PlannedTarget[], order: readonly ExistingDecision[]): ExistingDecision {
  return order.find((state) => targets.some((target) => target.state === state)) ?? "unchanged";
}

/** Whether an image that did not change may have got signatures or the like. */
async function wantsAttached(
  task: MirrorTask,
  item: ImageName & { readonly digest: string; readonly targets: readonly PlannedTarget[] },
  listed: ReadonlySet<string> | undefined,
  ports: PlanPorts,
): Promise<boolean> {
  const { referrers, digestTags } = task.rules.artifacts;
  if ((referrers || digestTags) && (await ports.referrerChecks?.due(checkedImage(task, item)))) return true;
  // Tags that are named after the digest are seen in the list: compare them as any other tag.
  if (!digestTags || listed === undefined || changesDigest(task.rules.platforms)) return false;
  const prefix = `${item.digest.replace(":", "-")}.`;
  const tags = [...listed].filter((tag) => tag.startsWith(prefix));
  for (const tag of tags) if (await differs(task, item, tag, ports)) return true;
  return false;
}

async function differs(
  task: MirrorTask,
  item: ImageName & { readonly targets: readonly PlannedTarget[] },
  tag: string,
  ports: PlanPorts,
): Promise<boolean> {
  const digestAt = (repository: TargetRepository, where: string) =>
    trying(`${tag} ${where}`, task, ports, async () => (await repository.head(tag))?.digest);
  const source = await digestAt(task.source.repository(item.repository, "pull"), "at the source");
  if (source === undefined) return false;
  for (const { target, repository } of item.targets) {
    const there = await digestAt(target.registry.repository(repository, "push"), `at ${target.registry.name}`);
    if (there !== source) return true;
  }
  return false;
}

/** Under what it is remembered when an image was last looked at for what belongs to it. */
export function checkedImage(
  { name }: MirrorTask,
  { repository, digest }: Pick<ImageName, "repository"> & { readonly digest: string },
): CheckedImage {
  return { task: name, repository, digest };
}
