import {
  isTransient,
  type MirrorTask,
  type PlannedItem,
  planItem,
  type PlanPorts,
  RegistryError,
  repositoriesOf,
  selectedTags,
  TakenNames,
} from "../../mirror/index.ts";
import { err, ok } from "../../platform/index.ts";
import type { Preview, PreviewItem, TaskControl } from "../kinds/ports.ts";
import type { SyncTask } from "../kinds/sync-task.ts";
import { CallMeter } from "./call-meter.ts";
import { sendMessage } from "./messages.ts";
import { mirrorPorts, openTask } from "./open-run.ts";
import { runReporter } from "./run-reporter.ts";
import { reschedule } from "./schedule.ts";
import { startRun } from "./start-run.ts";
import type { SyncPorts } from "./sync-ports.ts";

/** How long a preview may take, in milliseconds, and how many tags it looks at. */
const PREVIEW_TIME = 20_000;
const PREVIEW_TAGS = 1000;

/** What controlling tasks works with, besides what runs do. */
export interface TaskControlPorts {
  /** Work to finish after the answer. */
  readonly background: (work: Promise<unknown>) => void;
}

export function taskControl(ports: SyncPorts, { background }: TaskControlPorts): TaskControl {
  const { executions, items, queue, hub } = ports;
  return {
    async run(task, { cause, actor, dryRun, onlyFailedOf, tags }) {
      try {
        await openTask(task, ports, { signal: AbortSignal.timeout(PREVIEW_TIME), meter: new CallMeter() });
      } catch (error) {
        if (!(error instanceof RegistryError) || isTransient(error)) throw error;
        return err({ reason: "invalid", message: error.message });
      }
      // What failed besides images, such as a list that could not be read, takes all of the task to be tried again.
      const isImages = onlyFailedOf !== undefined && !(await items.hasFailedWithoutTag(onlyFailedOf));
      const about = {
        cause,
        actor,
        ...(dryRun === undefined ? {} : { dryRun }),
        ...(isImages ? { onlyFailedOf } : {}),
        ...(tags === undefined ? {} : { tags }),
      };
      const begun = await startRun(task, about, ports);
      if (begun.outcome === "begun") return ok(begun.execution);
      if (begun.outcome === "running") return err({ reason: "running", execution: begun.execution });
      return err({ reason: "invalid", message: "the time that it was due at was claimed before" });
    },
    async stop({ id }) {
      const stopping = await executions.requestStop(id);
      if (stopping === undefined) return undefined;
      await hub.report(id, {});
      await sendMessage(queue, { type: "advance", execution: id });
      return stopping;
    },
    async preview(task, { limit, tags, signal }) {
      const time = AbortSignal.timeout(PREVIEW_TIME);
      try {
        return ok(await previewOf(task, { limit, tags, signal: AbortSignal.any([signal, time]) }, ports));
      } catch (error) {
        if (error instanceof RegistryError) {
          return err({ reason: isTransient(error) ? "unavailable" : "invalid", message: error.message });
        }
        if (!time.aborted) throw error;
        const message = `the registries gave no answer within ${PREVIEW_TIME / 1000} seconds`;
        return err({ reason: "unavailable", message });
      }
    },
    changed(task) {
      if (task.metadata.deletionTimestamp !== undefined) return;
      background(
        reschedule(task, ports).catch((error: unknown) => {
          ports.log.warn("sync.schedule-not-shown", { task: task.metadata.name, error });
        }),
      );
    },
  };
}

interface PreviewOptions {
  readonly limit: number;
  readonly tags: readonly string[] | undefined;
  readonly signal: AbortSignal;
}

async function previewOf(task: SyncTask, options: PreviewOptions, ports: SyncPorts): Promise<Preview> {
  const warnings: string[] = [];
  const items: PreviewItem[] = [];
  const deadline = ports.clock() + PREVIEW_TIME;
  const meter = new CallMeter();
  const mirror = await openTask(task, ports, { signal: options.signal, meter });
  const about = { id: 0, taskUid: task.metadata.uid };
  const quiet = { report: async () => {}, tell: async () => {} };
  const reporter = runReporter(0, { hub: quiet, clock: ports.clock });
  const planPorts = mirrorPorts(
    about,
    mirror.source.origin,
    "many",
    { signal: options.signal, meter, reporter, deadline },
    ports,
  );
  try {
    for await (const item of plannedItems(mirror, planPorts, options.tags, warnings)) {
      if (items.length >= Math.min(options.limit, PREVIEW_TAGS)) return { items, truncated: true, warnings };
      if (item.state === "failed") warnings.push(`${item.repository}:${item.tag}: ${item.reason ?? "failed"}`);
      else items.push(previewItem(item));
    }
  } catch (error) {
    // What was found until then is of use.
    const isOver = options.signal.aborted || (error instanceof RegistryError && error.failure === "delayed");
    if (!isOver || items.length === 0) throw error;
    return { items, truncated: true, warnings: [...warnings, "there was no time to look at everything"] };
  }
  return { items, truncated: false, warnings };
}

/** What a run would find, with all that would make it fail. */
async function* plannedItems(
  mirror: MirrorTask,
  ports: PlanPorts,
  only: readonly string[] | undefined,
  warnings: string[],
): AsyncIterable<PlannedItem> {
  const taken = new TakenNames();
  const broken = (what: string, error: unknown): void => {
    ports.signal.throwIfAborted();
    if (!(error instanceof RegistryError) || error.failure === "delayed") throw error;
    const consequence = mirror.rules.prune.enabled ? "; nothing would be deleted" : "";
    warnings.push(`${what} cannot be listed: ${error.message}${consequence}`);
  };
  async function* repositories(): AsyncIterable<string> {
    try {
      yield* repositoriesOf(mirror, ports);
    } catch (error) {
      broken("the repositories", error);
    }
  }
  for await (const repository of repositories()) {
    const { all, selected, failure } = await selectedTags(mirror, repository, ports);
    if (failure !== undefined) broken(`the tags of ${repository}`, failure);
    const listed = failure === undefined ? new Set(all) : undefined;
    const wanted = only === undefined ? selected : selected.filter((tag) => only.includes(tag));
    const width = Math.max(1, mirror.rules.concurrency);
    for (let index = 0; index < wanted.length; index += width) {
      const some = wanted.slice(index, index + width);
      const planned = await Promise.all(some.map((tag) => planItem(mirror, { repository, tag }, listed, ports)));
      for (const item of planned) yield taken.check(item);
    }
  }
}

function previewItem({ repository, tag, digest = "", state, reason, size, targets }: PlannedItem): PreviewItem {
  return {
    repository,
    tag,
    digest,
    action: state === "attached" || state === "failed" ? "copy" : state,
    ...(reason === undefined ? {} : { reason }),
    targets: targets.map((target) => `${target.target.registry.name}/${target.repository}:${target.tag}`),
    ...(size === undefined ? {} : { bytes: size }),
  };
}
