import { formatDuration } from "../../mirror/index.ts";
import { displayName } from "../rest/object-names.ts";
import type { SyncTask } from "../kinds/index.ts";
import { executionName, type ExecutionState, type StoredExecution, type StoredItem } from "../store/index.ts";

/** Failures that a message tells of. */
export const MAX_FAILURES = 5;
/** Longest text of a failure in a message, in characters. */
const MAX_ERROR = 300;

/** What channels are told, before it has the form of any of them. */
export interface Message {
  readonly event: "execution.ended" | "test";
  readonly title: string;
  /** Whether it is good news. */
  readonly good: boolean;
  /** What there is to know, by its name. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly failures: readonly { readonly image: string; readonly error: string }[];
  /** How many failures are not told of. */
  readonly moreFailures: number;
  readonly link: string | undefined;
  /** The same for programs. */
  readonly data: Readonly<Record<string, unknown>>;
}

const WORDS: Readonly<Record<ExecutionState, string>> = {
  pending: "waits",
  planning: "runs",
  running: "runs",
  succeeded: "succeeded",
  unchanged: "had nothing to copy",
  partial: "failed in part",
  failed: "failed",
  canceled: "was stopped",
};

/** The message of a run that ended. `failed` are some of its items that failed. */
export function runMessage(
  run: StoredExecution,
  { metadata }: Pick<SyncTask, "metadata">,
  failed: readonly StoredItem[],
  link: string | undefined,
): Message {
  const name = displayName(metadata);
  const duration = (run.endedAt ?? run.createdAt) - (run.startedAt ?? run.createdAt);
  const failures = failed.slice(0, MAX_FAILURES).map(({ repository, tag, error }) => ({
    image: tag === "" ? repository : `${repository}:${tag}`,
    error: (error ?? "failed").slice(0, MAX_ERROR),
  }));
  const counts = {
    total: run.itemsTotal,
    copied: run.itemsCopied,
    unchanged: run.itemsUnchanged,
    skipped: run.itemsSkipped,
    failed: run.itemsFailed,
    deleted: run.tagsDeleted,
  };
  return {
    event: "execution.ended",
    title: `${name} ${WORDS[run.state]}`,
    good: run.state !== "failed" && run.state !== "partial",
    facts: [
      ["Task", `${run.namespace}/${name}`],
      ["Run", executionName(run)],
      ["State", run.state],
      ["Duration", formatDuration(Math.round(duration / 1000) * 1000)],
      [
        "Tags",
        `${counts.copied} copied, ${counts.unchanged} unchanged, ${counts.skipped} skipped, ${counts.failed} failed, ${counts.deleted} deleted`,
      ],
      ["Layers", `${run.blobsCopied} copied, ${run.blobsMounted} mounted, ${run.blobsSkipped} there`],
      ["Copied", bytesText(run.bytesCopied)],
      ...(run.error === null ? [] : [["Error", run.error.slice(0, MAX_ERROR)] as const]),
    ],
    failures,
    moreFailures: Math.max(0, run.itemsFailed - failures.length),
    link,
    data: {
      execution: { id: run.id, name: executionName(run), uid: run.uid, trigger: run.cause, requestedBy: run.actor },
      namespace: run.namespace,
      task: { name: run.task, displayName: name },
      state: run.state,
      startedAt: timeText(run.startedAt ?? run.createdAt),
      endedAt: timeText(run.endedAt ?? run.createdAt),
      durationSeconds: Math.round(duration / 1000),
      items: counts,
      blobs: {
        total: run.blobsTotal,
        copied: run.blobsCopied,
        mounted: run.blobsMounted,
        skipped: run.blobsSkipped,
        failed: run.blobsFailed,
      },
      bytes: { total: run.bytesTotal, copied: run.bytesCopied },
      ...(run.error === null ? {} : { error: run.error }),
      failures,
    },
  };
}

/** The message of a test. */
export function testMessage(namespace: string, channel: string): Message {
  return {
    event: "test",
    title: "This is a test",
    good: true,
    facts: [["Channel", `${namespace}/${channel}`]],
    failures: [],
    moreFailures: 0,
    link: undefined,
    data: { namespace, channel: { name: channel } },
  };
}

function timeText(time: number): string {
  return new Date(time).toISOString();
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** Bytes as people read them. */
export function bytesText(bytes: number): string {
  const power = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  const amount = bytes / 1024 ** power;
  return `${power === 0 ? amount : amount.toFixed(1)} ${UNITS[power] ?? "B"}`;
}
