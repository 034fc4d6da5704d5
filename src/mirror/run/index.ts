export { copyItem, type CopyItemPorts, settledItem } from "./copy-item.ts";
export { createdDate } from "./created-date.ts";
export { type ListedTags, repositoriesOf, tagsOf } from "./listing.ts";
export {
  type CreatedDates,
  type ImageName,
  type MirrorTarget,
  type MirrorTask,
  type PlanPorts,
  type ReferrerChecks,
  retryPolicy,
} from "./mirror-task.ts";
export { checkKey, type PlannedItem, type PlannedTarget, planItem, selectedTags, type TagSelection } from "./plan.ts";
export { type BudgetRule, ProcessBudget } from "./process-budget.ts";
export { type ListedRepository, pruneTargets } from "./prune-targets.ts";
export {
  type ItemOutcome,
  type ItemResult,
  type ItemTarget,
  type ListingFailure,
  type PruneResult,
  type RunState,
  type RunSummary,
  summarize,
} from "./run-summary.ts";
export { type RunEvent, type RunOptions, type RunPorts, runTask } from "./run-task.ts";
export { TakenNames } from "./taken-names.ts";
export { type RetryPolicy, type RetryPorts, retryWait, withRetries } from "./with-retries.ts";
