export { type Condition, timestamp } from "./condition.ts";
export { type Execution, type ExecutionSpec, type ExecutionStatus } from "./execution.ts";
export {
  EXECUTIONS,
  LOCAL_REGISTRY,
  NOTIFICATION_CHANNELS,
  REGISTRIES,
  SYNC_API_VERSION,
  SYNC_GROUP,
  SYNC_TASKS,
  SYNC_VERSION,
} from "./names.ts";
export type { NotificationChannelSpec } from "./notification-channel.ts";
export type {
  AccessFailure,
  ChannelTester,
  Preview,
  PreviewItem,
  RegistryAccess,
  RegistryTest,
  RunOptions,
  RunRefusal,
  TaskControl,
} from "./ports.ts";
export { type RegistrySpec, type RegistryStatus, type RegistryType } from "./registry.ts";
export { syncGroup, type SyncGroupPorts } from "./sync-group.ts";
export type { SyncTask, SyncTaskSpec, SyncTaskStatus } from "./sync-task.ts";
export { createWriterRights, type WriterRights } from "./writer-rights.ts";
export { upcomingRuns } from "./upcoming-runs.ts";
