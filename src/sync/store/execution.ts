/** Where a run can stand. The first three are of runs that have not ended; `unchanged` ended well with nothing to copy. */
export const EXECUTION_STATES = [
  "pending",
  "planning",
  "running",
  "succeeded",
  "partial",
  "failed",
  "canceled",
  "unchanged",
] as const;

export type ExecutionState = (typeof EXECUTION_STATES)[number];

/** States in which a run has ended. */
export type EndState = Exclude<ExecutionState, "pending" | "planning" | "running">;

/** Why a run was begun. */
export type ExecutionCause = "manual" | "schedule" | "retry";

/** What a run has counted. Bytes are of blobs. */
export interface ExecutionCounts {
  readonly itemsTotal: number;
  readonly itemsCopied: number;
  readonly itemsUnchanged: number;
  readonly itemsSkipped: number;
  readonly itemsFailed: number;
  /** At the targets, since the source no longer had them. */
  readonly tagsDeleted: number;
  readonly blobsTotal: number;
  readonly blobsCopied: number;
  readonly blobsMounted: number;
  readonly blobsSkipped: number;
  readonly blobsFailed: number;
  readonly bytesTotal: number;
  readonly bytesCopied: number;
}

/** One run of a task. Times are milliseconds since the Unix epoch. */
export interface StoredExecution extends ExecutionCounts {
  readonly id: number;
  readonly uid: string;
  readonly namespace: string;
  readonly task: string;
  readonly taskUid: string;
  readonly cause: ExecutionCause;
  /** Who began it. */
  readonly actor: string;
  /** The due time that it was claimed for. */
  readonly scheduledAt: number | null;
  readonly dryRun: boolean;
  /** The id of the run whose failed items it repeats. */
  readonly onlyFailedOf: number | null;
  /** The only tags to look at, if it was asked for some. */
  readonly tags: readonly string[] | null;
  readonly state: ExecutionState;
  readonly stopRequested: boolean;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** When its runner last said that it lives. */
  readonly heartbeatAt: number;
  /** Why it failed, or what went wrong with some of it. */
  readonly error: string | null;
  /** The version of its making, and of its latest change. */
  readonly createdRv: number;
  readonly rv: number;
  readonly deletedAt: number | null;
}

/** Whether a run has not ended. */
export function isActive({ state }: Pick<StoredExecution, "state">): boolean {
  return state === "pending" || state === "planning" || state === "running";
}

/** The words that clients of registry-sync know for where a run stands. */
export type ExecutionStatusWord = "pending" | "running" | "success" | "failed" | "canceled";

const WORDS: Readonly<Record<ExecutionState, ExecutionStatusWord>> = {
  pending: "pending",
  planning: "running",
  running: "running",
  succeeded: "success",
  unchanged: "success",
  partial: "failed",
  failed: "failed",
  canceled: "canceled",
};

/** Where a run stands, in those words. */
export function statusWord(state: ExecutionState): ExecutionStatusWord {
  return WORDS[state];
}

/** Names a run: `<task>-<id>`. */
export function executionName({ task, id }: Pick<StoredExecution, "task" | "id">): string {
  return `${task}-${id}`;
}

/** The task and the id that a name is made of; `undefined` if no run can have it. */
export function parseExecutionName(name: string): { readonly task: string; readonly id: number } | undefined {
  const match = /^(.+)-([1-9][0-9]{0,14})$/.exec(name);
  if (match === null) return undefined;
  const [, task = "", id = ""] = match;
  return { task, id: Number(id) };
}
