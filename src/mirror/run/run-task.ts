import { createPlacedBlobs } from "../copy/index.ts";
import type { Registry } from "../registry.ts";
import { copyItem, type CopyItemPorts, settledItem } from "./copy-item.ts";
import { inParallel } from "./in-parallel.ts";
import { repositoriesOf } from "./listing.ts";
import { type ImageName, messageOf, type MirrorTask } from "./mirror-task.ts";
import { type PlannedItem, planItem, selectedTags } from "./plan.ts";
import { TakenNames } from "./taken-names.ts";
import { type ListedRepository, pruneTargets } from "./prune-targets.ts";
import {
  type ItemResult,
  type ListingFailure,
  NO_BLOBS,
  type PruneResult,
  type RunSummary,
  summarize,
} from "./run-summary.ts";

/** What happens to the images of a run. */
export type RunEvent =
  | { readonly type: "listed"; readonly repository: string; readonly tags: number; readonly selected: number }
  | { readonly type: "started"; readonly item: PlannedItem }
  | { readonly type: "ended"; readonly result: ItemResult };

export interface RunPorts extends CopyItemPorts {
  readonly observe?: ((event: RunEvent) => void) | undefined;
  /** Waits until these registries take one more image; resolves to what gives them back. */
  readonly permits?: ((registries: readonly Registry[]) => Promise<() => void>) | undefined;
}

export interface RunOptions {
  /** Only say what would be copied and deleted. */
  readonly dryRun?: boolean;
  /** Only these images, without looking for others, as after a run in which they failed. */
  readonly only?: readonly ImageName[];
}

/** What says more than this is not read. */
const MAX_WARNINGS = 500;

interface WorkItem {
  readonly name: ImageName;
  readonly listed: ReadonlySet<string> | undefined;
}

/** The state of one run. */
interface Run {
  readonly task: MirrorTask;
  readonly ports: RunPorts;
  readonly options: RunOptions;
  readonly items: ItemResult[];
  readonly warnings: Set<string>;
  readonly listingFailures: ListingFailure[];
  /** For pruning; empty unless that is wanted. */
  readonly repositories: ListedRepository[];
  readonly taken: TakenNames;
}

/**
 * Runs a task in this process: lists, compares, copies several images at a time, prunes. Whatever goes wrong with one
 * image, or one repository, the others go on; what became of each is in the summary. When the signal is aborted the run
 * ends as `canceled`.
 */
export async function runTask(task: MirrorTask, ports: RunPorts, options: RunOptions = {}): Promise<RunSummary> {
  const startedAt = ports.clock();
  const run: Run = {
    task,
    ports: { placed: createPlacedBlobs(), ...ports },
    options,
    items: [],
    warnings: new Set(),
    listingFailures: [],
    repositories: [],
    taken: new TakenNames(),
  };
  const pruned: PruneResult[] = [];
  let canceled = false;
  try {
    // The results are noted as they come, so that a run that ends early has those that ended with it.
    for await (const result of inParallel(workOf(run), task.rules.concurrency, (work) => workOn(run, work))) {
      canceled ||= result.outcome === "canceled";
    }
    for await (const result of prune(run)) pruned.push(result);
  } catch (error) {
    if (!ports.signal.aborted) throw error;
    canceled = true;
  }
  for (const { registry, repository, refused } of pruned) {
    if (refused !== undefined) warn(run, `nothing was deleted from ${repository} at ${registry}: ${refused}`);
  }
  return summarize({
    task: task.name,
    dryRun: options.dryRun ?? false,
    items: run.items,
    listingFailures: run.listingFailures,
    pruned,
    warnings: [...run.warnings],
    startedAt,
    endedAt: ports.clock(),
    canceled,
  });
}

function warn({ warnings }: Run, message: string): void {
  if (warnings.size < MAX_WARNINGS) warnings.add(message);
}

async function* workOf(run: Run): AsyncIterable<WorkItem> {
  const { task, options } = run;
  if (options.only !== undefined) {
    for (const name of options.only) yield { name, listed: undefined };
    return;
  }
  let found = false;
  for await (const repository of repositories(run)) {
    found = true;
    yield* imagesOf(run, repository);
  }
  if (!found && run.listingFailures.length === 0) {
    warn(run, `${task.source.name} has no repository that the task selects`);
  }
}

async function* repositories(run: Run): AsyncIterable<string> {
  try {
    yield* repositoriesOf(run.task, run.ports);
  } catch (error) {
    run.ports.signal.throwIfAborted();
    run.listingFailures.push({ error: messageOf(error) });
  }
}

async function* imagesOf(run: Run, repository: string): AsyncIterable<WorkItem> {
  const { task, ports } = run;
  try {
    const { all, selected, undated, failure } = await selectedTags(task, repository, ports);
    if (failure !== undefined) run.listingFailures.push({ repository, error: messageOf(failure) });
    ports.observe?.({ type: "listed", repository, tags: all.length, selected: selected.length });
    if (undated.length > 0) {
      warn(run, `${repository}: ${undated.length} tags do not say when they were created: ${some(undated)}`);
    }
    const listed = failure === undefined ? new Set(all) : undefined;
    if (task.rules.prune.enabled) run.repositories.push({ repository, tags: listed && all });
    for (const tag of selected) {
      ports.signal.throwIfAborted();
      yield { name: { repository, tag }, listed };
    }
  } catch (error) {
    ports.signal.throwIfAborted();
    if (task.rules.prune.enabled) run.repositories.push({ repository, tags: undefined });
    run.listingFailures.push({ repository, error: messageOf(error) });
  }
}

function some(names: readonly string[]): string {
  return names.length <= 5 ? names.join(", ") : `${names.slice(0, 5).join(", ")}, …`;
}

async function workOn(run: Run, { name, listed }: WorkItem): Promise<ItemResult> {
  const { task, options, ports } = run;
  const registries = [task.source, ...task.targets.map(({ registry }) => registry)];
  const release = await ports.permits?.(registries);
  try {
    ports.signal.throwIfAborted();
    const item = run.taken.check(await planItem(task, name, listed, ports));
    ports.observe?.({ type: "started", item });
    const result = options.dryRun === true ? settledItem(item) : await copyItem(task, item, listed, ports);
    for (const warning of result.warnings) warn(run, `${name.repository}:${name.tag}: ${warning}`);
    return ended(run, result);
  } catch (error) {
    if (!ports.signal.aborted) throw error;
    return ended(run, { ...name, outcome: "canceled", bytes: 0, blobs: NO_BLOBS, warnings: [], targets: [] });
  } finally {
    release?.();
  }
}

function ended({ items, ports }: Run, result: ItemResult): ItemResult {
  items.push(result);
  ports.observe?.({ type: "ended", result });
  return result;
}

async function* prune(run: Run): AsyncIterable<PruneResult> {
  const { task, ports, options } = run;
  if (!task.rules.prune.enabled || options.only !== undefined || run.repositories.length === 0) return;
  // A list of repositories that broke off may lack one that is written to the same place.
  if (run.listingFailures.some(({ repository }) => repository === undefined)) {
    warn(run, "nothing was deleted: the repositories could not all be listed");
    return;
  }
  yield* pruneTargets(task, run.repositories, ports, { dryRun: options.dryRun ?? false });
}
