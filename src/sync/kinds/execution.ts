import * as z from "zod";
import { isLabelValue, type KindDeclaration, type ResourceObject } from "../../resources/index.ts";
import { EXECUTION_STATES, executionName, isActive, type StoredExecution, type StoredItem } from "../store/index.ts";
import { type Condition, conditionsSchema, timestamp } from "./condition.ts";
import { EXECUTIONS, SYNC_API_VERSION } from "./names.ts";

/** The label of an execution that names its task. */
export const TASK_LABEL = "sync.entrepot.dev/task";

const executionSpec = z.object({
  task: z.string().describe("Name of the SyncTask."),
  taskUid: z.string().describe("Its uid: a later task of the same name has another."),
  id: z.int().describe("Number of the run."),
  trigger: z.enum(["manual", "schedule", "retry"]).describe("Why it was begun."),
  requestedBy: z.string().describe("Who began it."),
  scheduledAt: z.string().optional().describe("When it was due, RFC 3339."),
  dryRun: z.boolean().describe("Nothing is copied."),
  onlyFailedOf: z.string().optional().describe("The Execution whose failed items it repeats."),
  tags: z.array(z.string()).optional().describe("The only tags that it looks at."),
});

const itemCounts = z.object({
  total: z.int().describe("How many the plan found so far."),
  copied: z.int(),
  unchanged: z.int().describe("The target has the same."),
  skipped: z.int().describe("The rules say so."),
  failed: z.int().describe("Failed, or in conflict with what the target has."),
  deleted: z.int().describe("Deleted at the targets, since the source no longer has them."),
});

const blobCounts = z.object({
  total: z.int(),
  copied: z.int(),
  mounted: z.int().describe("Taken over from another repository of the target."),
  skipped: z.int().describe("The target had them."),
  failed: z.int(),
});

const failedItem = z.object({
  repository: z.string(),
  tag: z.string(),
  digest: z.string(),
  attempts: z.int(),
  reason: z.string().optional(),
  message: z.string().optional(),
});

const executionStatus = z.object({
  state: z
    .enum(EXECUTION_STATES)
    .describe(
      "Where it stands; `unchanged` ended well with nothing to copy or delete, `partial` with some items failed.",
    ),
  conditions: conditionsSchema.describe("`Complete`: it ended well. `Failed`: it failed, or some of it."),
  stopRequested: z.boolean().optional().describe("Somebody asked it to stop."),
  items: itemCounts.describe("Tags."),
  blobs: blobCounts.describe("Layers and configs."),
  bytes: z.object({ total: z.int(), copied: z.int() }).describe("Bytes of blobs."),
  progress: z.string().describe("Items that are done, of all."),
  startedAt: z.string().optional().describe("RFC 3339."),
  endedAt: z.string().optional().describe("RFC 3339."),
  message: z.string().optional().describe("What went wrong."),
  failedItems: z.array(failedItem).optional().describe("The first 20 items that failed; not in lists."),
});

export type ExecutionSpec = z.infer<typeof executionSpec>;
export type ExecutionStatus = z.infer<typeof executionStatus>;
export type Execution = ResourceObject<ExecutionSpec, ExecutionStatus>;

export const executionKind: KindDeclaration<typeof executionSpec, typeof executionStatus> = {
  kind: "Execution",
  plural: EXECUTIONS.plural,
  shortNames: ["exec"],
  categories: ["sync"],
  scope: "Namespaced",
  description: "One run of a SyncTask. Its name is `<task>-<number>`. Made by running the task; read-only.",
  spec: executionSpec,
  status: executionStatus,
  columns: [
    { name: "Task", type: "string", jsonPath: ".spec.task" },
    { name: "State", type: "string", jsonPath: ".status.state" },
    { name: "Items", type: "string", jsonPath: ".status.progress" },
    { name: "Failed", type: "integer", jsonPath: ".status.items.failed" },
    { name: "Deleted", type: "integer", jsonPath: ".status.items.deleted" },
    { name: "Bytes", type: "integer", jsonPath: ".status.bytes.copied" },
    { name: "Trigger", type: "string", jsonPath: ".spec.trigger", priority: 1 },
    { name: "Message", type: "string", jsonPath: ".status.message", priority: 1 },
    { name: "Started", type: "date", jsonPath: ".status.startedAt" },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  ],
  selectableFields: [".spec.task", ".spec.trigger", ".status.state"],
};

/** The run as an object. `failed` are items of it that failed. */
export function executionObject(run: StoredExecution, failed: readonly StoredItem[] = []): Execution {
  const { task, namespace, uid, rv, createdAt } = run;
  return {
    apiVersion: SYNC_API_VERSION,
    kind: "Execution",
    metadata: {
      name: executionName(run),
      namespace,
      uid,
      resourceVersion: String(rv),
      generation: 1,
      creationTimestamp: timestamp(createdAt),
      ...(isLabelValue(task) ? { labels: { [TASK_LABEL]: task } } : {}),
    },
    spec: specOf(run),
    status: statusOf(run, failed),
  };
}

function specOf(run: StoredExecution): ExecutionSpec {
  const { id, task, taskUid, cause, actor, scheduledAt, dryRun, onlyFailedOf, tags } = run;
  return {
    task,
    taskUid,
    id,
    trigger: cause,
    requestedBy: actor,
    ...(scheduledAt === null ? {} : { scheduledAt: timestamp(scheduledAt) }),
    dryRun,
    ...(onlyFailedOf === null ? {} : { onlyFailedOf: executionName({ task, id: onlyFailedOf }) }),
    ...(tags === null ? {} : { tags: [...tags] }),
  };
}

function statusOf(run: StoredExecution, failed: readonly StoredItem[]): ExecutionStatus {
  const { state, startedAt, endedAt, error } = run;
  const done = run.itemsCopied + run.itemsUnchanged + run.itemsSkipped + run.itemsFailed;
  return {
    state,
    conditions: conditionsOf(run),
    ...(run.stopRequested ? { stopRequested: true } : {}),
    items: {
      total: run.itemsTotal,
      copied: run.itemsCopied,
      unchanged: run.itemsUnchanged,
      skipped: run.itemsSkipped,
      failed: run.itemsFailed,
      deleted: run.tagsDeleted,
    },
    blobs: {
      total: run.blobsTotal,
      copied: run.blobsCopied,
      mounted: run.blobsMounted,
      skipped: run.blobsSkipped,
      failed: run.blobsFailed,
    },
    bytes: { total: run.bytesTotal, copied: run.bytesCopied },
    progress: `${done}/${run.itemsTotal}`,
    ...(startedAt === null ? {} : { startedAt: timestamp(startedAt) }),
    ...(endedAt === null ? {} : { endedAt: timestamp(endedAt) }),
    ...(error === null ? {} : { message: error }),
    ...(failed.length === 0 ? {} : { failedItems: failed.map(failedItemOf) }),
  };
}

function failedItemOf({ repository, tag, digest, attempts, errorClass, error }: StoredItem) {
  return {
    repository,
    tag,
    digest,
    attempts,
    ...(errorClass === null ? {} : { reason: errorClass }),
    ...(error === null ? {} : { message: error }),
  };
}

const REASONS: Readonly<Record<StoredExecution["state"], string>> = {
  pending: "Pending",
  planning: "Planning",
  running: "Running",
  succeeded: "Succeeded",
  unchanged: "Unchanged",
  partial: "SomeItemsFailed",
  failed: "Failed",
  canceled: "Canceled",
};

function conditionsOf(run: StoredExecution): Condition[] {
  const { state, createdAt, endedAt, error } = run;
  const reason = REASONS[state];
  const message = error === null ? {} : { message: error };
  const since = { lastTransitionTime: timestamp(endedAt ?? createdAt) };
  const isComplete = state === "succeeded" || state === "unchanged";
  const isFailed = state === "failed" || state === "partial";
  const when = (holds: boolean): Condition["status"] => (holds ? "True" : "False");
  return [
    { type: "Complete", status: when(isComplete), reason, ...message, ...since },
    { type: "Failed", status: when(isFailed), reason, ...message, ...since },
    { type: "Running", status: when(isActive(run)), reason, ...since },
  ];
}
