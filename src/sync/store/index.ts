export {
  type EndState,
  type ExecutionCause,
  type ExecutionCounts,
  executionName,
  type ExecutionState,
  isActive,
  parseExecutionName,
  type StoredExecution,
} from "./execution.ts";
export {
  type Begun,
  type ExecutionQuery,
  ExecutionStore,
  type ExecutionTotals,
  type NewExecution,
} from "./execution-store.ts";
export { IdStore, type Numbered, type NumberedKind } from "./id-store.ts";
export type { ItemEndState, ItemState, ItemTarget, NewItem, StoredItem } from "./item.ts";
export { type ItemEnd, ItemStore } from "./item-store.ts";
export { type LogLevel, type LogLine, type LogPage, LogStore, type StoredLogLine } from "./log-store.ts";
export { MemoryStore, type StoredCheckpoint, type WrittenKey } from "./memory-store.ts";
