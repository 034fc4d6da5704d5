import {
  isTransient,
  type PlannedDeletion,
  type PlannedItem,
  Planner,
  RegistryError,
  type UnreadableList,
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
      // A list that could not be read, or a name that another image has, takes all of the task to be tried again.
      const isImages = onlyFailedOf !== undefined && !(await items.needsWholeRun(onlyFailedOf));
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
  const planner = new Planner(mirror, planPorts, { tags: options.tags, dryRun: true, keepsLists: true });
  const unreadable = ({ repository, error }: UnreadableList): void => {
    const consequence = mirror.rules.prune.enabled ? "; nothing would be deleted" : "";
    const what = repository === undefined ? "the repositories" : `the tags of ${repository}`;
    warnings.push(`${what} cannot be listed: ${error.message}${consequence}`);
  };
  const limit = Math.min(options.limit, PREVIEW_TAGS);
  try {
    for await (const step of planner.items()) {
      if (step.type === "unreadable") unreadable(step);
      else if (step.type === "note" && step.level === "warn") warnings.push(step.message);
      if (step.type !== "item") continue;
      if (items.length >= limit) return { items, truncated: true, warnings };
      const { repository, tag, state, reason } = step.item;
      if (state === "failed" || state === "refused" || state === "collides") {
        warnings.push(`${repository}:${tag}: ${reason ?? "failed"}`);
      } else items.push(previewItem(step.item, state));
    }
    for await (const step of planner.deletions()) {
      // Lists that broke off were told.
      if (step.type !== "deletion") continue;
      const { target, repository, refused } = step.deletion;
      if (refused !== undefined) {
        warnings.push(`nothing would be deleted from ${repository} at ${target.registry.name}: ${refused}`);
      } else if (!mirror.rules.prune.dryRun) {
        items.push(...deletedItems(step.deletion));
        if (items.length > limit) return { items: items.slice(0, limit), truncated: true, warnings };
      }
    }
  } catch (error) {
    // What was found until then is of use.
    const isOver = options.signal.aborted || (error instanceof RegistryError && error.failure === "delayed");
    if (!isOver || items.length === 0) throw error;
    return { items, truncated: true, warnings: [...warnings, "there was no time to look at everything"] };
  }
  return { items, truncated: false, warnings };
}

function previewItem(
  { repository, tag, digest = "", reason, size, targets }: PlannedItem,
  state: PreviewItem["action"] | "attached",
): PreviewItem {
  return {
    repository,
    tag,
    digest,
    // It has the image; what may be new belongs to it.
    action: state === "attached" ? "unchanged" : state,
    ...(reason === undefined ? {} : { reason }),
    targets: targets.map((target) => `${target.target.registry.name}/${target.repository}:${target.tag}`),
    ...(size === undefined ? {} : { bytes: size }),
  };
}

function deletedItems({ target, repository, tags }: PlannedDeletion): readonly PreviewItem[] {
  return tags.map((tag) => ({
    repository,
    tag,
    digest: "",
    action: "delete",
    reason: "the source no longer has it",
    targets: [`${target.registry.name}/${repository}:${tag}`],
  }));
}
