export { DueStore, type TaskDue } from "./due-store.ts";
export {
  EXECUTION_STATES,
  type EndState,
  type ExecutionCause,
  type ExecutionCounts,
  executionName,
  type ExecutionState,
  isActive,
  parseExecutionName,
  statusWord,
  type StoredExecution,
} from "./execution.ts";
export type { ExecutionQuery, ExecutionTotals } from "./execution-reader-store.ts";
export { type Begun, ExecutionStore, type NewExecution } from "./execution-store.ts";
export { IdStore, type Numbered, type NumberedKind } from "./id-store.ts";
export type { ItemEndState, ItemState, ItemTarget, NewItem, StoredItem } from "./item.ts";
export { type ItemEnd, ItemStore } from "./item-store.ts";
export { LOG_LEVELS, type LogLevel, type LogLine, type LogPage, LogStore, type StoredLogLine } from "./log-store.ts";
export {
  checkedText,
  type CreatedDate,
  MemoryStore,
  type StoredCheckpoint,
  type WrittenDigest,
  type WrittenKey,
} from "./memory-store.ts";
