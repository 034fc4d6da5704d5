import type { CopyItemPorts, MirrorTask, Registry } from "../../mirror/index.ts";
import { createPlacedBlobs, type PlacedBlobs, RegistryError, taskRefusal } from "../../mirror/index.ts";
import { Lru } from "../../platform/index.ts";
import { SYNC_TASKS } from "../kinds/names.ts";
import type { SyncTask, SyncTaskSpec, SyncTaskStatus } from "../kinds/sync-task.ts";
import { localUses } from "../kinds/task-rules.ts";
import type { StoredExecution } from "../store/index.ts";
import type { CallMeter } from "./call-meter.ts";
import { type RememberedImages, runMemory } from "./run-memory.ts";
import type { RunReporter } from "./run-reporter.ts";
import type { SyncPorts } from "./sync-ports.ts";

/** A wait that is longer, in milliseconds, is not waited for: the work is put off. */
const PATIENCE = 30_000;

/** The task of a run; `undefined` if it is gone, or another has its name. */
export async function taskOf(
  run: Pick<StoredExecution, "namespace" | "task" | "taskUid">,
  { client }: Pick<SyncPorts, "client">,
): Promise<SyncTask | undefined> {
  const task = await client().find<SyncTaskSpec, SyncTaskStatus>(SYNC_TASKS, {
    namespace: run.namespace,
    name: run.task,
  });
  if (task?.spec === undefined || task.metadata.uid !== run.taskUid) return undefined;
  return task.metadata.deletionTimestamp === undefined ? task : undefined;
}

/**
 * The task with its registries opened, for whatever is done in its name: that its writer may do it is asked each time.
 * @throws RegistryError "denied" if they may not; if a registry is not there, or its secrets cannot be read
 */
export async function openTask(
  task: SyncTask,
  { registries, rights }: Pick<SyncPorts, "registries" | "rights">,
  { signal, meter }: { readonly signal: AbortSignal; readonly meter: CallMeter },
): Promise<MirrorTask> {
  const { metadata, spec } = task;
  if (spec === undefined) throw new RegistryError("refused", "the task has no spec");
  const refusal = await rights.refusal(task);
  if (refusal !== undefined) throw new RegistryError("denied", `the task may not do this: ${refusal}`);
  const { namespace = "", name } = metadata;
  // What the writer of the task had to be allowed is what it may do, whatever it finds.
  const uses = localUses(spec);
  const mayUse = (verb: "pull" | "push", place: string): boolean =>
    uses.some((use) => use.verb === verb && (use.namespace === undefined || use.namespace === place));
  const opened = new Map<string, Registry>();
  for (const registry of new Set([spec.source.registry, ...spec.targets.map((target) => target.registry)])) {
    const use = { namespace, name: registry, mayUse, signal, meter };
    opened.set(registry, await registries.open(use));
  }
  const registryOf = (registry: string): Registry => {
    const found = opened.get(registry);
    if (found === undefined) throw new Error(`${registry} was not opened`);
    return found;
  };
  const mirror = {
    name: `${namespace}/${name}`,
    source: registryOf(spec.source.registry),
    select: spec.source,
    targets: spec.targets.map(({ registry, repository, tag }) => ({
      registry: registryOf(registry),
      repository,
      tag,
    })),
    rules: spec,
  };
  const circle = taskRefusal(mirror);
  if (circle !== undefined) throw new RegistryError("refused", circle);
  return mirror;
}

/** Which blobs the runs of this isolate put where. Only that is shared: work of one request is not waited for by another. */
const placedByRun = new Lru<PlacedBlobs>(20);

/** What planning and copying for a run work with. */
export function mirrorPorts(
  run: Pick<StoredExecution, "id" | "taskUid">,
  source: string,
  images: RememberedImages,
  about: {
    readonly signal: AbortSignal;
    readonly meter: CallMeter;
    readonly reporter: RunReporter;
    readonly deadline: number;
  },
  { memory, clock, sleep, random }: SyncPorts,
): CopyItemPorts {
  const { signal, meter, reporter, deadline } = about;
  const isOver = () => meter.isSpent || clock() >= deadline;
  const shared = placedByRun.get(String(run.id)) ?? createPlacedBlobs();
  placedByRun.set(String(run.id), shared, 1);
  return {
    clock,
    random,
    signal,
    isLate: isOver,
    async sleep(duration, until) {
      if (isOver()) throw new RegistryError("delayed", "another message goes on with it", { retryAfter: 0 });
      if (duration > PATIENCE) {
        throw new RegistryError("delayed", "it goes on when the registry is ready again", { retryAfter: duration });
      }
      await sleep(duration, until);
    },
    progress(event) {
      if (event.type === "bytes") meter.bytes(event.bytes);
      reporter.progress(event);
    },
    placed: {
      ...createPlacedBlobs(),
      where: (origin, digest) => shared.where(origin, digest),
      add: (origin, digest, repository) => shared.add(origin, digest, repository),
    },
    ...runMemory(run, source, images, { memory, clock, meter }),
    onRetry: (what, wait, error) => {
      if (isOver()) return;
      const reason = error instanceof Error ? error.message : String(error);
      reporter.log("warn", `${what}: ${reason}; trying again in ${Math.ceil(wait / 1000)} s`);
    },
  };
}
