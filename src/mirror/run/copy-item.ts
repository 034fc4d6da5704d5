import { copyImage, type CopyPorts, type CopyResult, type CopyRules, type TargetResult } from "../copy/index.ts";
import { formatDuration } from "../rules/index.ts";
import { isTransient, RegistryError } from "../registry.ts";
import {
  checkedImage,
  messageOf,
  type MirrorTask,
  OTHER_IMAGE,
  type PlannedItem,
  type PlannedTarget,
  type PlanPorts,
  retryPolicy,
  trying,
} from "../plan/index.ts";
import { type ItemOutcome, type ItemResult, type ItemTarget, NO_BLOBS } from "./run-summary.ts";

/** What copying images works with, besides what planning does. */
export interface CopyItemPorts extends PlanPorts, Omit<CopyPorts, keyof PlanPorts> {}

/** An item that is at its end without a copy: unchanged, skipped, failed, or planned by a dry run. */
export function settledItem(item: PlannedItem): ItemResult {
  const outcome = SETTLED[item.state];
  return {
    repository: item.repository,
    tag: item.tag,
    outcome,
    ...(item.digest === undefined ? {} : { digest: item.digest }),
    bytes: 0,
    blobs: NO_BLOBS,
    ...(item.reason === undefined ? {} : { error: item.reason }),
    ...(item.error instanceof RegistryError ? { failure: item.error.failure } : {}),
    ...(item.state === "conflict" ? { failure: "conflict" } : {}),
    ...(item.state === "collides" ? { failure: "collision" } : {}),
    warnings: [],
    targets: item.targets.map(settledTarget),
  };
}

const SETTLED: Readonly<Record<PlannedItem["state"], ItemOutcome>> = {
  copy: "would-copy",
  attached: "unchanged",
  unchanged: "unchanged",
  skip: "skipped",
  conflict: "conflict",
  refused: "failed",
  collides: "failed",
  failed: "failed",
};

function settledTarget({ target, repository, tag, state, present }: PlannedTarget): ItemTarget {
  return {
    registry: target.registry.name,
    repository,
    tag,
    outcome: SETTLED[state],
    ...(present === undefined ? {} : { digest: present }),
  };
}

/**
 * Copies an image that was planned, with retries. `listed` are all tags of the source's repository, if known. It does
 * not fail, but for the signal and "delayed": what goes wrong is in the result.
 */
export async function copyItem(
  task: MirrorTask,
  item: PlannedItem,
  listed: ReadonlySet<string> | undefined,
  ports: CopyItemPorts,
): Promise<ItemResult> {
  if ((item.state !== "copy" && item.state !== "attached") || item.digest === undefined) return settledItem(item);
  const wanted = item.targets.filter(({ state }) => state === item.state || item.state === "attached");
  const others = item.targets.filter((target) => !wanted.includes(target));
  try {
    const { result, digest } = await copyWithRetries(
      task,
      { ...item, digest: item.digest, targets: wanted },
      listed,
      ports,
    );
    const attached = task.rules.artifacts.referrers || task.rules.artifacts.digestTags;
    if (attached && result.outcome !== "failed")
      await ports.referrerChecks?.done(checkedImage(task, { ...item, digest }));
    return itemResult(item, digest, result, others);
  } catch (error) {
    ports.signal.throwIfAborted();
    if (error instanceof RegistryError && error.failure === "delayed") throw error;
    const reason = messageOf(error);
    return {
      ...settledItem({ ...item, state: "failed", reason, error }),
      targets: [
        ...wanted.map((target) => ({ ...settledTarget(target), outcome: "failed" as const, error: reason })),
        ...others.map(settledTarget),
      ],
    };
  }
}

async function copyWithRetries(
  task: MirrorTask,
  item: PlannedItem & { readonly digest: string },
  listed: ReadonlySet<string> | undefined,
  ports: CopyItemPorts,
): Promise<{ readonly result: CopyResult; readonly digest: string }> {
  const source = task.source.repository(item.repository, "pull");
  const image = `${item.repository}:${item.tag}`;
  let { digest } = item;
  let resolvedAgain = false;
  let last: CopyResult | undefined;
  let { targets } = item;
  const attempt = async (): Promise<CopyResult> => {
    last = undefined;
    const now = { ...item, targets };
    // By the next attempt the tags may be others.
    targets = targets.map(({ seen: _seen, ...target }) => target);
    try {
      last = await oneAttempt(task, { ...now, digest }, listed, ports);
    } catch (error) {
      // The tag moved, and what it stood for is gone: once, what it stands for now is copied instead.
      if (resolvedAgain || !(error instanceof RegistryError) || error.failure !== "missing") throw error;
      resolvedAgain = true;
      const moved = (await source.head(item.tag))?.digest;
      if (moved === undefined || moved === digest) throw error;
      ports.progress({
        type: "log",
        level: "warn",
        message: `${image} moved from ${digest}, which is gone, to ${moved}`,
      });
      digest = moved;
      last = await oneAttempt(task, { ...item, targets, digest }, listed, ports);
    }
    const transient = last.targets.find(({ outcome, error }) => outcome === "failed" && isTransient(error));
    if (transient !== undefined) throw transient.error;
    return last;
  };
  try {
    return { result: await trying(image, task, ports, attempt), digest };
  } catch (error) {
    // Some targets have it, others never got it: that is a result, unless those have only to wait.
    const isDelayed = error instanceof RegistryError && error.failure === "delayed";
    if (last !== undefined && !isDelayed && !ports.signal.aborted) return { result: last, digest };
    throw error;
  }
}

async function oneAttempt(
  task: MirrorTask,
  item: PlannedItem & { readonly digest: string },
  listed: ReadonlySet<string> | undefined,
  ports: CopyItemPorts,
): Promise<CopyResult> {
  const { platforms, artifacts, existing } = task.rules;
  const rules: CopyRules = { platforms, artifacts, existing, retry: retryPolicy(task.rules.retry) };
  const repository = task.source.repository(item.repository, "pull");
  const targets = item.targets.map(({ target, repository, tag, seen }) => ({
    registry: target.registry,
    repository: target.registry.repository(repository, "push"),
    tag,
    ...(seen === undefined ? {} : { seen }),
  }));
  const limit = task.timeout === undefined ? undefined : AbortSignal.timeout(task.timeout);
  const signal = limit === undefined ? ports.signal : AbortSignal.any([ports.signal, limit]);
  try {
    return await copyImage(
      item,
      { registry: task.source, repository, ...(listed === undefined ? {} : { tags: listed }) },
      targets,
      rules,
      { ...ports, signal },
    );
  } catch (error) {
    if (limit?.aborted !== true || ports.signal.aborted) throw error;
    throw new RegistryError(
      "transient",
      `${item.repository}:${item.tag} took longer than ${formatDuration(task.timeout ?? 0)}`,
    );
  }
}

function itemResult(
  item: PlannedItem,
  digest: string,
  result: CopyResult,
  others: readonly PlannedTarget[],
): ItemResult {
  const targets = [...result.targets.map(copiedTarget), ...others.map(settledTarget)];
  const outcome = OUTCOMES.find((outcome) => targets.some((target) => target.outcome === outcome)) ?? "unchanged";
  const copied = result.targets.find((target) => target.error !== undefined)?.error;
  // At a target that was looked at only.
  const error = copied ?? (outcome === "conflict" ? new RegistryError("conflict", OTHER_IMAGE) : undefined);
  const gained = outcome === "unchanged" && result.blobs.copied + result.blobs.mounted > 0;
  return {
    repository: item.repository,
    tag: item.tag,
    // An image that got signatures is not what it was.
    outcome: gained ? "copied" : outcome,
    digest,
    bytes: result.bytes,
    blobs: result.blobs,
    ...(error === undefined ? {} : { error: messageOf(error) }),
    ...(error instanceof RegistryError ? { failure: error.failure } : {}),
    warnings: result.warnings,
    targets,
  };
}

/** The worst first. */
const OUTCOMES: readonly ItemOutcome[] = ["failed", "conflict", "copied", "skipped", "unchanged"];

function copiedTarget({ target, outcome, digest, error }: TargetResult): ItemTarget {
  return {
    registry: target.registry.name,
    repository: target.repository.name,
    tag: target.tag,
    outcome,
    digest,
    ...(error === undefined ? {} : { error: messageOf(error) }),
  };
}
