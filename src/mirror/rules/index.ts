export { type Circle, circleOf, type Flow } from "./circle.ts";
export { type ExistingDecision, existingDecision, type ExistingTag } from "./existing-tag.ts";
export { durationProblem, formatDuration, parseDuration } from "./duration.ts";
export {
  type ArtifactRule,
  type ExistingRule,
  type MirrorRules,
  type MirrorRulesInput,
  mirrorRulesSchema,
  mirrorRulesShape,
  mirrorTaskShape,
  type NewestRule,
  type NotificationRule,
  type PlatformRule,
  type PlatformSelector,
  type PruneRule,
  type RetryRule,
  retryRuleSchema,
  type Schedule,
  scheduleSchema,
  type SourceRule,
  type TagRule,
  tagRuleSchema,
  type TargetRule,
  targetRuleSchema,
  targetRulesSchema,
} from "./mirror-rules.ts";
export { architecturesOfPlatforms, matchesPlatform, platformsOfArchitectures, platformText } from "./platforms.ts";
export { type PruneDecision, pruneDecision, type PruneInput } from "./prune.ts";
export { type RepositoryMatcher, repositoryMatcher } from "./repositories.ts";
export { rewriteIndex, type RewrittenIndex } from "./rewrite-index.ts";
export { nextRuns, previousRun } from "./schedule.ts";
export { attestedBy, type IndexEntries, type PlatformSelection, selectPlatforms } from "./select-platforms.ts";
export { type DatedTag, narrowTags, needsCreated, selectTags } from "./tags.ts";
export { type SourceName, sourceTag, targetName, targetTag } from "./target-name.ts";
