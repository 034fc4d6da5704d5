import type { ManifestHead } from "../registry.ts";
import { changesDigest, decideTag } from "../copy/index.ts";
import { RegistryError, type TargetRepository } from "../registry.ts";
import { type ExistingDecision, narrowTags, needsCreated, selectTags, targetName, targetTag } from "../rules/index.ts";
import { createdDate } from "./created-date.ts";
import { inParallel } from "./in-parallel.ts";
import { tagsOf } from "./listing.ts";
import {
  type ImageName,
  messageOf,
  type MirrorTarget,
  type MirrorTask,
  type PlanPorts,
  trying,
} from "./mirror-task.ts";

/** What is to be done about an image at one target. */
export interface PlannedTarget {
  /** Of the task's targets. */
  readonly target: MirrorTarget;
  /** The whole name there. */
  readonly repository: string;
  readonly tag: string;
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
   * `failed`: nothing could be found out about it.
   */
  readonly state: ExistingDecision | "attached" | "failed";
  /** Why it is skipped, a conflict or failed. */
  readonly reason?: string;
  readonly error?: unknown;
  /** What the tag stands for at the source. */
  readonly digest?: string;
  readonly mediaType?: string;
  /** Bytes of the manifest. */
  readonly size?: number;
  readonly targets: readonly PlannedTarget[];
}

/** The tags of a repository, and those among them that the rules select. */
export interface TagSelection {
  /** As far as they could be listed. */
  readonly all: readonly string[];
  /** Why there may be more. */
  readonly failure?: unknown;
  readonly selected: readonly string[];
  /** Tags whose images do not say when they were created, which the rules want to know, or could not be asked. */
  readonly undated: readonly string[];
}

/**
 * Lists the tags of a repository and selects among them. When images were created is only asked if the rules depend on
 * it. A list that cannot be read to its end is no error: `failure` says so.
 */
export async function selectedTags(task: MirrorTask, repository: string, ports: PlanPorts): Promise<TagSelection> {
  const { tags: all, ...failed } = await tagsOf(task, repository, ports);
  const { tags } = task.rules;
  const candidates = selectTags(all, tags);
  if (!needsCreated(tags)) {
    const selected = narrowTags(
      candidates.map((tag) => ({ tag })),
      tags,
      ports.clock(),
    );
    return { all, ...failed, selected, undated: [] };
  }
  const created = new Map<string, number | null>();
  const dated = inParallel(candidates, task.rules.concurrency, async (tag) => {
    return [tag, await createdOf(task, { repository, tag }, ports)] as const;
  });
  for await (const [tag, time] of dated) created.set(tag, time);
  const selected = narrowTags(
    candidates.map((tag) => ({ tag, created: created.get(tag) ?? undefined })),
    tags,
    ports.clock(),
  );
  return { all, ...failed, selected, undated: candidates.filter((tag) => created.get(tag) === null) };
}

/** `null` if the image does not say, or cannot be read. One image that is broken must not hold up the others. */
async function createdOf(task: MirrorTask, { repository, tag }: ImageName, ports: PlanPorts): Promise<number | null> {
  const source = task.source.repository(repository, "pull");
  const what = `the age of ${repository}:${tag}`;
  try {
    return await trying(what, task, ports, async () => {
      const head = await source.head(tag);
      if (head === undefined) return null;
      const known = await ports.created?.load(head.digest);
      if (known !== undefined) return known;
      const created = await createdDate(source, head.digest, ports.signal);
      await ports.created?.save(head.digest, created);
      return created;
    });
  } catch (error) {
    ports.signal.throwIfAborted();
    if (error instanceof RegistryError && error.failure !== "delayed") return null;
    throw error;
  }
}

/**
 * Compares an image with what the targets have: one `HEAD` at each side. `listed` are all tags of the source, if they
 * are known. It does not fail, but for the signal: what goes wrong is in the item.
 */
export async function planItem(
  task: MirrorTask,
  name: ImageName,
  listed: ReadonlySet<string> | undefined,
  ports: PlanPorts,
): Promise<PlannedItem> {
  const names = namesAtTargets(task, name);
  if (typeof names === "string") return { ...name, state: "failed", reason: names, targets: [] };
  try {
    const source = task.source.repository(name.repository, "pull");
    const head = await trying(`${name.repository}:${name.tag}`, task, ports, () => source.head(name.tag));
    if (head === undefined) return { ...name, state: "skip", reason: "the tag is gone from the source", targets: [] };
    const targets = await Promise.all(names.map((there) => planTarget(task, there, head.digest, ports)));
    const item = { ...name, digest: head.digest, mediaType: head.mediaType, size: head.size, targets };
    const state = combined(targets);
    if (state === "conflict") return { ...item, state, reason: OTHER_IMAGE };
    if (state === "skip") {
      return { ...item, state, reason: targets.find(({ reason }) => reason !== undefined)?.reason ?? SKIPPED };
    }
    if (state === "unchanged" && (await wantsAttached(task, item, listed, ports)))
      return { ...item, state: "attached" };
    return { ...item, state };
  } catch (error) {
    ports.signal.throwIfAborted();
    if (error instanceof RegistryError && error.failure === "delayed") throw error;
    return { ...name, state: "failed", reason: messageOf(error), error, targets: [] };
  }
}

interface NameAtTarget {
  readonly target: MirrorTarget;
  readonly repository: string;
  readonly tag: string;
}

function namesAtTargets(task: MirrorTask, name: ImageName): readonly NameAtTarget[] | string {
  const source = { ...name, project: task.select.project };
  const names: NameAtTarget[] = [];
  for (const target of task.targets) {
    const repository = targetName(target.repository, source);
    if (!repository.ok) return repository.error;
    const tag = targetTag(target.tag, source);
    if (!tag.ok) return tag.error;
    names.push({ target, repository: repository.value, tag: tag.value });
  }
  return names;
}

async function planTarget(
  task: MirrorTask,
  there: NameAtTarget,
  digest: string,
  ports: PlanPorts,
): Promise<PlannedTarget> {
  const { registry } = there.target;
  const what = `${there.repository}:${there.tag} at ${registry.name}`;
  const head = await trying(what, task, ports, () => registry.repository(there.repository, "push").head(there.tag));
  const compared = { registry: registry.name, repository: there.repository, present: head?.digest, digest };
  const decision = await decideTag(compared, task.rules, ports.written);
  const about = { ...there, seen: { head }, ...(head === undefined ? {} : { present: head.digest }) };
  return decision === "none"
    ? { ...about, state: "skip", reason: "it has none of the selected platforms" }
    : { ...about, state: decision };
}

export const OTHER_IMAGE = "the tag is another image at the target";
const SKIPPED = "the tag is there and is another image";

/** What matters most of several targets. */
function combined(targets: readonly PlannedTarget[]): ExistingDecision {
  const order: readonly ExistingDecision[] = ["copy", "conflict", "skip", "unchanged"];
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
  if ((referrers || digestTags) && (await ports.referrerChecks?.due(checkKey(task, item)))) return true;
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
export function checkKey(task: MirrorTask, item: ImageName & { readonly digest: string }): string {
  return `${task.name}|${item.repository}|${item.digest}`;
}
