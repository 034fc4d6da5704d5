export { copyItem, type CopyItemPorts } from "./copy-item.ts";
export { deleteTags } from "./delete-tags.ts";
export { type BudgetRule, ProcessBudget } from "./process-budget.ts";
export {
  type ItemFailure,
  type ItemOutcome,
  type ItemResult,
  type ItemTarget,
  type ListingFailure,
  type PruneResult,
  type RunState,
  type RunSummary,
} from "./run-summary.ts";
export { type RunEvent, type RunOptions, type RunPorts, runTask } from "./run-task.ts";
