export { type Circle, circleOf, type Flow } from "./circle.ts";
export { type ExistingDecision, existingDecision, type ExistingTag } from "./existing-tag.ts";
export { cronProblem } from "./cron.ts";
export { durationProblem, formatDuration, parseDuration } from "./duration.ts";
export {
  type ArtifactRule,
  artifactRuleSchema,
  type ExistingRule,
  existingRuleSchema,
  type MirrorRules,
  type MirrorRulesInput,
  mirrorRulesSchema,
  mirrorRulesShape,
  mirrorTaskShape,
  type NewestRule,
  type NotificationRule,
  notificationRuleSchema,
  type PlatformRule,
  platformRuleSchema,
  type PlatformSelector,
  type PruneRule,
  pruneRuleSchema,
  type RetryRule,
  retryRuleSchema,
  type Schedule,
  scheduleSchema,
  type SourceRule,
  sourceRuleSchema,
  type TagRule,
  tagRuleSchema,
  type TargetRule,
  targetRuleSchema,
  targetRulesSchema,
} from "./mirror-rules.ts";
export { architecturesOfPlatforms, matchesPlatform, platformsOfArchitectures, platformText } from "./platforms.ts";
export { type PruneDecision, pruneDecision, type PruneInput } from "./prune.ts";
export { type RepositoryMatcher, repositoryMatcher } from "./repositories.ts";
export { rewriteIndex, type RewrittenIndex, SOURCE_DIGEST } from "./rewrite-index.ts";
export { nextRuns, previousRun } from "./schedule.ts";
export { attestedBy, type IndexEntries, type PlatformSelection, selectPlatforms } from "./select-platforms.ts";
export {
  compareTagVersions,
  type DatedTag,
  isDigestTag,
  isOldEnough,
  narrowTags,
  needsCreated,
  newestTags,
  selectTags,
} from "./tags.ts";
export {
  type SourceName,
  sourceTag,
  type TargetCollision,
  targetCollisions,
  targetName,
  targetTag,
} from "./target-name.ts";
export { timeZoneProblem } from "./time-zone.ts";
