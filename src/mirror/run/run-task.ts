import { createPlacedBlobs } from "../copy/index.ts";
import { type ImageName, type MirrorTask, Planner, type PlannedItem, type PlanStep } from "../plan/index.ts";
import { RegistryError } from "../registry.ts";
import { copyItem, type CopyItemPorts, settledItem } from "./copy-item.ts";
import { deleteTags } from "./delete-tags.ts";
import { inParallel } from "./in-parallel.ts";
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
}

export interface RunOptions {
  /** Only say what would be copied and deleted. */
  readonly dryRun?: boolean;
  /** Only these images, without looking for others, as after a run in which they failed. */
  readonly only?: readonly ImageName[];
}

/** What says more than this is not read. */
const MAX_WARNINGS = 500;

/** The state of one run. */
interface Run {
  readonly task: MirrorTask;
  readonly ports: RunPorts;
  readonly options: RunOptions;
  readonly items: ItemResult[];
  readonly warnings: Set<string>;
  readonly listingFailures: ListingFailure[];
  readonly pruned: PruneResult[];
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
    pruned: [],
  };
  const planner = new Planner(task, run.ports, {
    only: options.only,
    dryRun: options.dryRun ?? false,
    keepsLists: task.rules.prune.enabled,
  });
  let canceled = false;
  try {
    // The results are noted as they come, so that a run that ends early has those that ended with it.
    for await (const result of inParallel(plannedItems(run, planner), task.rules.concurrency, (it) =>
      workOn(run, it),
    )) {
      canceled ||= result.outcome === "canceled";
    }
    await prune(run, planner);
  } catch (error) {
    if (ports.signal.aborted) canceled = true;
    else if (error instanceof RegistryError && error.failure === "refused")
      run.listingFailures.push({ error: error.message });
    else throw error;
  }
  return summarize({
    task: task.name,
    dryRun: options.dryRun ?? false,
    items: run.items,
    listingFailures: run.listingFailures,
    pruned: run.pruned,
    warnings: [...run.warnings],
    startedAt,
    endedAt: ports.clock(),
    canceled,
  });
}

function warn({ warnings }: Run, message: string): void {
  if (warnings.size < MAX_WARNINGS) warnings.add(message);
}

type PlannedStep = Extract<PlanStep, { type: "item" }>;

/** What is to be done about images; what else the plan says is noted. */
async function* plannedItems(run: Run, planner: Planner): AsyncIterable<PlannedStep> {
  for await (const step of planner.items()) {
    switch (step.type) {
      case "item":
        yield step;
        break;
      case "listed":
        run.ports.observe?.(step);
        break;
      case "unreadable":
        noteUnreadable(run, step);
        break;
      case "note":
        if (step.level === "warn") warn(run, step.message);
        else run.ports.progress({ type: "log", level: step.level, message: step.message });
        break;
      case "more":
        break;
    }
  }
}

function noteUnreadable(
  run: Run,
  { repository, error }: { readonly repository?: string; readonly error: Error },
): void {
  run.listingFailures.push({ ...(repository === undefined ? {} : { repository }), error: error.message });
}

async function workOn(run: Run, { item, listed }: PlannedStep): Promise<ItemResult> {
  const { task, options, ports } = run;
  ports.observe?.({ type: "started", item });
  const isCopied = options.dryRun !== true && (item.state === "copy" || item.state === "attached");
  if (!isCopied) return ended(run, settledItem(item));
  const registries = [task.source, ...task.targets.map(({ registry }) => registry)];
  const release = await ports.permits?.(registries);
  try {
    ports.signal.throwIfAborted();
    const result = await copyItem(task, item, listed, ports);
    for (const warning of result.warnings) warn(run, `${item.repository}:${item.tag}: ${warning}`);
    return ended(run, result);
  } catch (error) {
    if (!ports.signal.aborted) throw error;
    const { repository, tag } = item;
    return ended(run, {
      repository,
      tag,
      outcome: "canceled",
      bytes: 0,
      blobs: NO_BLOBS,
      warnings: [],
      targets: [],
    });
  } finally {
    release?.();
  }
}

function ended({ items, ports }: Run, result: ItemResult): ItemResult {
  items.push(result);
  ports.observe?.({ type: "ended", result });
  return result;
}

/** Deletes at the targets what is planned, or says only what it would. */
async function prune(run: Run, planner: Planner): Promise<void> {
  const { task, ports, options } = run;
  for await (const step of planner.deletions()) {
    if (step.type === "unreadable") noteUnreadable(run, step);
    else if (step.type === "note") warn(run, step.message);
    else {
      for await (const result of deleteTags(task, step.deletion, ports, { dryRun: options.dryRun ?? false })) {
        run.pruned.push(result);
        if (result.refused === undefined) continue;
        warn(run, `nothing was deleted from ${result.repository} at ${result.registry}: ${result.refused}`);
      }
    }
  }
}
