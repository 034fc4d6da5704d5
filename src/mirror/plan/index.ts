export { type ListedTags } from "./listing.ts";
export {
  type CheckedImage,
  type CreatedDates,
  type ImageName,
  messageOf,
  type MirrorTarget,
  type MirrorTask,
  type PlanPorts,
  type ReferrerChecks,
  retryPolicy,
  trying,
} from "./mirror-task.ts";
export { checkedImage, OTHER_IMAGE, type PlannedItem, type PlannedTarget, planItem } from "./plan-item.ts";
export type { PlannedDeletion } from "./plan-prune.ts";
export {
  type DeletionStep,
  Planner,
  type PlanOptions,
  type PlanStep,
  taskRefusal,
  type UnreadableList,
} from "./planner.ts";
