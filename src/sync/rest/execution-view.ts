import * as z from "zod";
import {
  EXECUTION_STATES,
  executionName,
  type ExecutionState,
  statusWord,
  type StoredExecution,
} from "../store/index.ts";

/** The states of older clients, and ours: which of ours each of them means. */
export const STATES_OF: Readonly<Record<string, readonly ExecutionState[]>> = {
  pending: ["pending"],
  running: ["planning", "running"],
  success: ["succeeded", "unchanged"],
  failed: ["failed", "partial"],
  canceled: ["canceled"],
  planning: ["planning"],
  succeeded: ["succeeded"],
  unchanged: ["unchanged"],
  partial: ["partial"],
};

/** A run as clients read it. */
export const executionView = z.object({
  id: z.int(),
  name: z.string().describe("Name of the Execution."),
  namespace: z.string(),
  task_id: z.int(),
  task_name: z.string(),
  status: z.enum(["pending", "running", "success", "failed", "canceled"]),
  state: z
    .enum(EXECUTION_STATES)
    .describe("The same, more exactly: `partial` failed in part, `unchanged` had nothing to copy or delete."),
  trigger: z.enum(["manual", "schedule", "retry"]),
  requested_by: z.string(),
  dry_run: z.boolean(),
  start_time: z.string(),
  end_time: z.string().nullable(),
  total_blobs: z.int(),
  synced_blobs: z.int(),
  skipped_blobs: z.int(),
  failed_blobs: z.int(),
  total_items: z.int().describe("Tags."),
  copied_items: z.int(),
  unchanged_items: z.int(),
  skipped_items: z.int(),
  failed_items: z.int(),
  deleted_tags: z.int().describe("Deleted at the targets, since the source no longer has them."),
  total_size: z.int().describe("Bytes of blobs, as far as they are known."),
  synced_size: z.int(),
  error_message: z.string(),
  created_at: z.string(),
  updated_at: z.string(),
});

export type ExecutionView = z.infer<typeof executionView>;

/** A run for clients. */
export function viewExecution(run: StoredExecution, taskId: number): ExecutionView {
  const { startedAt, createdAt, endedAt, heartbeatAt } = run;
  const text = (time: number) => new Date(time).toISOString();
  return {
    id: run.id,
    name: executionName(run),
    namespace: run.namespace,
    task_id: taskId,
    task_name: run.task,
    status: statusWord(run.state),
    state: run.state,
    trigger: run.cause,
    requested_by: run.actor,
    dry_run: run.dryRun,
    start_time: text(startedAt ?? createdAt),
    end_time: endedAt === null ? null : text(endedAt),
    total_blobs: run.blobsTotal,
    synced_blobs: run.blobsCopied + run.blobsMounted,
    skipped_blobs: run.blobsSkipped,
    failed_blobs: run.blobsFailed,
    total_items: run.itemsTotal,
    copied_items: run.itemsCopied,
    unchanged_items: run.itemsUnchanged,
    skipped_items: run.itemsSkipped,
    failed_items: run.itemsFailed,
    deleted_tags: run.tagsDeleted,
    total_size: run.bytesTotal,
    synced_size: run.bytesCopied,
    error_message: run.error ?? "",
    created_at: text(createdAt),
    updated_at: text(endedAt ?? Math.max(heartbeatAt, createdAt)),
  };
}
