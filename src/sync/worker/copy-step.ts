import {
  copyItem,
  type CopyItemPorts,
  isTransient,
  type ItemResult,
  type MirrorTask,
  parseDuration,
  type PlannedItem,
  planItem,
  RegistryError,
  retryPolicy,
  retryWait,
} from "../../mirror/index.ts";
import type { StoredItem } from "../store/index.ts";
import { sendMessage } from "./messages.ts";
import type { RunReporter } from "./run-reporter.ts";
import { StoppedError } from "./run-watch.ts";
import type { SyncPorts } from "./sync-ports.ts";

/** What copying an item works with. */
export interface Copying {
  readonly mirror: MirrorTask;
  readonly ports: CopyItemPorts;
  readonly reporter: RunReporter;
}

/** Waits of what was put off without being told until when, in milliseconds. */
const PUT_OFF = 30_000;
/** Spreads those who were told to wait until the same time: up to this share of the wait is added. */
const SPREAD = 0.1;

/**
 * Copies an item that was taken, and says in the database what became of it: done, failed, or to be begun again. It does
 * not fail for reasons that are the item's.
 */
export async function copyOne(item: StoredItem, copying: Copying, ports: SyncPorts): Promise<void> {
  const { reporter } = copying;
  const image = `${item.repository}:${item.tag}`;
  try {
    const result = await attempt(item, copying);
    for (const warning of result.warnings) reporter.log("warn", `${image}: ${warning}`);
    await recordResult(item, result, copying, ports);
  } catch (error) {
    reporter.forgetUnfinished();
    await requeue(item, error, copying, ports);
  }
}

async function attempt(item: StoredItem, { mirror, ports }: Copying): Promise<ItemResult> {
  const name = { repository: item.repository, tag: item.tag };
  // What the plan could not find out, or another run did, is found out now.
  const planned = item.digest === "" ? await planItem(mirror, name, ports) : plannedItem(item, mirror);
  return copyItem(mirror, planned, undefined, ports);
}

function plannedItem({ repository, tag, digest, targets }: StoredItem, mirror: MirrorTask): PlannedItem {
  const there = targets.flatMap((place) => {
    const target = mirror.targets.find(({ registry }) => registry.name === place.registry);
    return target === undefined
      ? []
      : [{ target, repository: place.repository, tag: place.tag, state: place.state ?? ("copy" as const) }];
  });
  if (there.length === targets.length) return { repository, tag, digest, state: "copy", targets: there };
  const error = new RegistryError("refused", "the task has other targets than when the run was planned");
  return { repository, tag, state: "failed", reason: error.message, error, targets: [] };
}

/** Writes down what became of an item. A failure that may pass is tried again, as often as the task wants. */
async function recordResult(item: StoredItem, result: ItemResult, copying: Copying, ports: SyncPorts): Promise<void> {
  const { outcome, error, failure, bytes } = result;
  const { mirror, reporter } = copying;
  const image = `${item.repository}:${item.tag}`;
  const { attempts } = mirror.rules.retry;
  if (outcome === "failed" && failure === "transient" && item.attempts < attempts) {
    const wait = retryWait(item.attempts, retryPolicy(mirror.rules.retry), undefined, ports.random);
    reporter.log("warn", `${image}: ${error ?? "failed"}; try ${item.attempts} of ${attempts}`);
    return release(item, { delay: wait, isFailure: true, ...(error === undefined ? {} : { error }) }, ports);
  }
  const state = outcome === "would-copy" ? "skipped" : outcome;
  const isBad = state === "failed" || state === "conflict";
  if (isBad) reporter.log("error", `${image}: ${error ?? state}`);
  else if (state === "copied") reporter.log("info", `${image}: copied (${bytes} bytes)`);
  await ports.items.finish(item.id, {
    state,
    bytes,
    ...(failure === undefined ? {} : { errorClass: failure }),
    ...(error === undefined ? {} : { error }),
  });
}

/** Gives an item back whose copy did not come to an end. */
async function requeue(item: StoredItem, error: unknown, copying: Copying, ports: SyncPorts): Promise<void> {
  const { mirror, reporter, ports: copyPorts } = copying;
  const image = `${item.repository}:${item.tag}`;
  if (copyPorts.signal.aborted || error instanceof StoppedError)
    return release(item, { delay: 0 }, ports, { quiet: true });
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof RegistryError && error.failure === "delayed") {
    const wait = error.retryAfter ?? PUT_OFF;
    const spread = wait * SPREAD * ports.random();
    if (wait > 0) reporter.log("info", `${image}: ${message}; it goes on in ${Math.ceil(wait / 1000)} s`);
    return release(item, { delay: wait + spread }, ports);
  }
  if (!(error instanceof RegistryError)) ports.log.error("sync.copy-failed", { item: item.id, error });
  const { attempts, maximum } = mirror.rules.retry;
  const mayPass = isTransient(error) || !(error instanceof RegistryError);
  if (mayPass && item.attempts < attempts) {
    return release(
      item,
      { delay: (parseDuration(maximum) ?? 0) * ports.random(), isFailure: true, error: message },
      ports,
    );
  }
  reporter.log("error", `${image}: ${message}`);
  const errorClass = error instanceof RegistryError ? error.failure : "transient";
  await ports.items.finish(item.id, { state: "failed", errorClass, error: message });
}

/** Gives an item back, and sees to it that somebody looks when it is due. */
async function release(
  { id, execution }: StoredItem,
  about: { readonly delay: number; readonly isFailure?: boolean; readonly error?: string },
  { items, queue }: SyncPorts,
  { quiet = false }: { readonly quiet?: boolean } = {},
): Promise<void> {
  const { delay, isFailure = false, error } = about;
  await items.release(id, Math.round(delay), { isFailure, ...(error === undefined ? {} : { error }) });
  if (!quiet && about.delay > 0) await sendMessage(queue, { type: "advance", execution }, about.delay);
}
