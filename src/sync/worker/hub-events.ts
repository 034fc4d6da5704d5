import { executionName, isActive, type LogLevel, statusWord, type StoredExecution } from "../store/index.ts";

/** How fast bytes come, and when they will all have, as far as can be told. */
export interface Pace {
  /** Bytes in a second. */
  readonly speed: number;
  /** Seconds. */
  readonly eta: number | null;
}

/** What clients of the live channel are told of a run. */
export type RunEvent =
  | {
      readonly type: "progress";
      readonly execution_id: number;
      readonly execution: string;
      readonly namespace: string;
      readonly task: string;
      readonly data: ProgressData;
    }
  | {
      readonly type: "log";
      readonly execution_id: number;
      readonly namespace: string;
      readonly task: string;
      readonly id: number;
      readonly time: string;
      readonly level: LogLevel;
      readonly message: string;
    };

export interface ProgressData {
  readonly status: string;
  readonly state: StoredExecution["state"];
  /** 0 to 100. */
  readonly progress: number;
  readonly total_blobs: number;
  /** Copied or mounted. */
  readonly synced_blobs: number;
  /** There before. */
  readonly skipped_blobs: number;
  readonly failed_blobs: number;
  readonly total_bytes: number;
  readonly copied_bytes: number;
  readonly speed: number;
  readonly eta: number | null;
  readonly items: {
    readonly total: number;
    readonly copied: number;
    readonly unchanged: number;
    readonly skipped: number;
    readonly failed: number;
    /** Tags that were deleted at the targets. */
    readonly deleted: number;
  };
  readonly error?: string;
}

/** Where a run stands, as clients are told. */
export function progressEvent(run: StoredExecution, { speed, eta }: Pace): RunEvent {
  const { id, namespace, task, state } = run;
  return {
    type: "progress",
    execution_id: id,
    execution: executionName(run),
    namespace,
    task,
    data: {
      status: statusWord(state),
      state,
      progress: percentage(run),
      total_blobs: run.blobsTotal,
      synced_blobs: run.blobsCopied + run.blobsMounted,
      skipped_blobs: run.blobsSkipped,
      failed_blobs: run.blobsFailed,
      total_bytes: run.bytesTotal,
      copied_bytes: run.bytesCopied,
      speed: Math.round(speed),
      eta,
      items: {
        total: run.itemsTotal,
        copied: run.itemsCopied,
        unchanged: run.itemsUnchanged,
        skipped: run.itemsSkipped,
        failed: run.itemsFailed,
        deleted: run.tagsDeleted,
      },
      ...(run.error === null ? {} : { error: run.error }),
    },
  };
}

/** Items that are done, and the part of the others that their bytes stand for. */
function percentage(run: StoredExecution): number {
  if (run.state === "succeeded" || run.state === "unchanged") return 100;
  if (run.itemsTotal === 0) return 0;
  const done = run.itemsCopied + run.itemsUnchanged + run.itemsSkipped + run.itemsFailed;
  const share = run.bytesTotal === 0 ? 0 : Math.min(1, run.bytesCopied / run.bytesTotal);
  const running = Math.min(1, run.itemsTotal - done) * share;
  const percent = Math.floor((100 * (done + running)) / run.itemsTotal);
  return isActive(run) ? Math.min(99, percent) : Math.min(100, percent);
}
