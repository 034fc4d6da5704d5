import * as z from "zod";
import { checkedText } from "./checked-text.ts";
import { cronProblem } from "./cron.ts";
import { durationProblem, parseDuration } from "./duration.ts";
import { MAX_PATTERN_LENGTH, patternProblem } from "./pattern.ts";
import { rangeProblem } from "./semver.ts";
import { repositoryTemplateProblem, tagTemplateProblem } from "./template.ts";
import { timeZoneProblem } from "./time-zone.ts";

const MAX_PATTERNS = 100;
const MAX_REPOSITORIES = 500;
const MAX_TARGETS = 20;
const MAX_PLATFORMS = 50;
const MAX_NAME = 255;
/** An interval below it would be a run that never rests. */
const MIN_INTERVAL = 60_000;

const duration = checkedText(32, durationProblem);
const pattern = checkedText(MAX_PATTERN_LENGTH, patternProblem);
/** Marked for the kinds that have these rules: whoever writes them has the registry and its credential used. */
const registryName = z
  .string()
  .min(1)
  .max(253)
  .meta({ "x-entrepot-uses": { resource: "registries", except: ["local"] } });
/** Marked in the same way: whoever writes it has the channel and its address used. */
const channelName = z
  .string()
  .min(1)
  .max(253)
  .meta({ "x-entrepot-uses": { resource: "notificationchannels" } });

const REPOSITORY = /^[A-Za-z0-9](?:[A-Za-z0-9._-]|\/(?=[A-Za-z0-9]))*$/;
const REPOSITORY_GLOB = /^[A-Za-z0-9*?](?:[A-Za-z0-9._*?-]|\/(?=[A-Za-z0-9*?]))*$/;

const sourceName = checkedText(MAX_NAME, (text) =>
  REPOSITORY.test(text) ? undefined : "must be the name of a repository, such as library/nginx",
);
const sourceGlob = checkedText(MAX_NAME, (text) =>
  REPOSITORY_GLOB.test(text)
    ? undefined
    : "must be the name of a repository or a glob, such as nginx, redis* or team/**",
);

export const sourceRuleSchema = z
  .object({
    registry: registryName.describe("The registry to read from."),
    repository: sourceName
      .optional()
      .describe("The whole name of the one repository to read, such as `library/nginx`."),
    project: sourceName
      .optional()
      .describe("Project, organisation or first path components. Alone it means all of its repositories."),
    repositories: z
      .array(sourceGlob)
      .min(1)
      .max(MAX_REPOSITORIES)
      .optional()
      .describe(
        "Names or globs of repositories, below the project if there is one. `*` stays within a path component, `**` does not.",
      ),
  })
  .superRefine(({ repository, project, repositories }, context) => {
    const problem = (field: string, message: string) => context.addIssue({ code: "custom", path: [field], message });
    if (repository !== undefined && project !== undefined)
      problem("project", "may not be given together with repository");
    if (repository !== undefined && repositories !== undefined) {
      problem("repositories", "may not be given together with repository");
    }
    if (repository === undefined && project === undefined && repositories === undefined) {
      problem("repository", "is needed, or project, or repositories (`**` for all that the registry has)");
    }
  })
  .describe("What to read.");

export const targetRuleSchema = z
  .object({
    registry: registryName.describe("The registry to write to."),
    repository: checkedText(MAX_NAME, repositoryTemplateProblem)
      .optional()
      .describe(
        "Name of the repository there, in which `{{ .Repository }}` is the whole name at the source, `{{ .Project }}` its project or first component, `{{ .Name }}` what follows that, `{{ .Base }}` the last component and `{{ .Tag }}` the tag. The same name if not given.",
      ),
    tag: checkedText(MAX_NAME, tagTemplateProblem)
      .optional()
      .describe("Name of the tag there, with the same variables. The same tag if not given."),
  })
  .describe("Where to write.");

export const targetRulesSchema = z.array(targetRuleSchema).min(1).max(MAX_TARGETS).describe("Where to write it.");

export const newestRuleSchema = z
  .object({
    count: z.int().min(1).max(10_000).describe("How many tags to keep."),
    by: z
      .enum(["version", "created", "name"])
      .default("version")
      .describe(
        "What newest means: the highest `version`, the image that was `created` last (reads each image's config once), or the last by `name`, character by character.",
      ),
  })
  .describe("Keeps only the newest of the tags that are selected.");

export const tagRuleSchema = z
  .object({
    include: z
      .array(pattern)
      .max(MAX_PATTERNS)
      .default([])
      .describe("Regular expressions (RE2), found anywhere in a tag. Without one, all tags are included."),
    exclude: z
      .array(pattern)
      .max(MAX_PATTERNS)
      .default([])
      .describe("Regular expressions (RE2) of tags to leave out. They win over those to include."),
    anchored: z.boolean().default(false).describe("Has the expressions match whole tags."),
    semver: checkedText(256, rangeProblem)
      .optional()
      .describe(
        "Range of semantic versions, such as `>=1.2.0 <3 || ^4.1`. Tags that are no versions are left out; pre-releases too, unless the range names one of the same version.",
      ),
    newest: newestRuleSchema.optional(),
    minimumAge: duration.optional().describe("Leaves out images that were created less than this ago, such as `24h`."),
  })
  .describe("Which tags to copy.");

const platformText = z.string().min(1).max(64);

export const platformSelectorSchema = z.object({
  os: platformText.default("linux").describe("Operating system, such as `linux`."),
  architecture: platformText.describe("Architecture as Go calls it, such as `amd64` or `arm64`."),
  variant: platformText.optional().describe("Variant, such as `v7`. Any if not given."),
  osVersion: platformText
    .optional()
    .describe("Version of Windows, such as `10.0.17763`; its builds match too. Any if not given."),
});

export const platformRuleSchema = z
  .object({
    mode: z
      .enum(["all", "sparse", "rewrite", "single"])
      .default("all")
      .describe(
        "`all` copies every platform; `sparse` only some, under an unchanged index (the target has to accept that); `rewrite` writes an index of only those, which has another digest; `single` writes the one image instead of an index.",
      ),
    select: z
      .array(platformSelectorSchema)
      .max(MAX_PLATFORMS)
      .default([])
      .describe("The platforms to copy. Needed unless the mode is `all`."),
  })
  .superRefine(({ mode, select }, context) => {
    const problem = (message: string) => context.addIssue({ code: "custom", path: ["select"], message });
    if (mode === "all" && select.length > 0) problem("has no meaning in mode all; use sparse, rewrite or single");
    if (mode === "single" && select.length !== 1) problem("must have exactly one platform in mode single");
    if ((mode === "sparse" || mode === "rewrite") && select.length === 0) problem(`is needed in mode ${mode}`);
  })
  .describe("Which platforms of an image to copy.");

export const artifactRuleSchema = z
  .object({
    referrers: z
      .boolean()
      .default(true)
      .describe("Copy what refers to an image (signatures, attestations, SBOMs), by the referrers API."),
    digestTags: z
      .boolean()
      .default(true)
      .describe(
        "Copy tags of the form `sha256-<digest>.sig` that belong to an image, as cosign writes them. They are never selected as tags of their own.",
      ),
    foreignLayers: z
      .enum(["skip", "include"])
      .default("skip")
      .describe("Layers that are not to be distributed, as those of Windows: left out, or copied like others."),
    types: z
      .array(z.string().min(1).max(MAX_NAME))
      .max(MAX_PATTERNS)
      .default([])
      .describe("Artifact types of referrers to copy. All if empty."),
  })
  .describe("What belongs to an image and is copied with it.");

export const existingRuleSchema = z
  .enum(["overwrite", "skip", "fail"])
  .default("overwrite")
  .describe("What to do about a tag that is at the target and is another image there.");

export const pruneRuleSchema = z
  .object({
    enabled: z.boolean().default(false).describe("Delete tags at the target that the source no longer has."),
    maximumShare: z
      .number()
      .min(0)
      .max(1)
      .default(0.2)
      .describe("Share of a repository's tags (0 to 1) above which nothing is deleted and the run says so."),
    dryRun: z.boolean().default(true).describe("Only say what would be deleted."),
  })
  .describe("Deletion of tags that are gone from the source.");

export const scheduleSchema = z
  .object({
    cron: checkedText(128, cronProblem)
      .optional()
      .describe("When to run: minute, hour, day of month, month, day of week, such as `0 2 * * *`."),
    timeZone: checkedText(64, timeZoneProblem)
      .optional()
      .describe("Time zone of `cron` by its IANA name, such as `Europe/Berlin`. UTC if not given."),
    interval: checkedText(32, intervalProblem)
      .optional()
      .describe("Run every so often instead, such as `6h`; at least `1m`."),
  })
  .superRefine(({ cron, timeZone, interval }, context) => {
    const problem = (field: string, message: string) => context.addIssue({ code: "custom", path: [field], message });
    if (cron !== undefined && interval !== undefined) problem("interval", "may not be given together with cron");
    if (cron === undefined && interval === undefined) problem("cron", "is needed, or interval");
    if (cron === undefined && timeZone !== undefined) problem("timeZone", "may only be given together with cron");
  })
  .describe("When to run by itself. Never, if not given.");

function intervalProblem(text: string): string | undefined {
  const problem = durationProblem(text);
  if (problem !== undefined) return problem;
  return (parseDuration(text) ?? 0) < MIN_INTERVAL ? "must be at least 1m" : undefined;
}

export const retryRuleSchema = z
  .object({
    attempts: z.int().min(1).max(20).default(5).describe("How often to try in all, when trying again may help."),
    initial: duration
      .default("1s")
      .describe("Upper bound of the wait before the second attempt. It doubles each time."),
    maximum: duration.default("30s").describe("The longest wait, unless the registry asks for more."),
  })
  .describe("How to go on after a failure that may pass.");

export const notificationRuleSchema = z
  .object({
    when: z
      .enum(["all", "failed", "never"])
      .default("failed")
      .describe("Which runs to tell about: all, those where something failed, or none."),
    channels: z.array(channelName).max(20).default([]).describe("Names of the channels to tell."),
  })
  .describe("Whom to tell about a run.");

/** The fields of a task but its source, targets and notifications; kinds and configurations spread them into their own. */
export const mirrorRulesShape = {
  tags: tagRuleSchema.prefault({}),
  platforms: platformRuleSchema.prefault({}),
  artifacts: artifactRuleSchema.prefault({}),
  existing: existingRuleSchema,
  prune: pruneRuleSchema.prefault({}),
  schedule: scheduleSchema.optional(),
  retry: retryRuleSchema.prefault({}),
  concurrency: z.int().min(1).max(50).default(3).describe("How many images to copy at once."),
  enabled: z.boolean().default(true).describe("Whether the schedule is kept. By hand it can be run anyway."),
};

/** How images are mirrored. Durations, patterns and ranges stay the texts that they are written as. */
export const mirrorRulesSchema = z.object(mirrorRulesShape);

/** A whole task: what a SyncTask has as its spec, and sync.yaml as an entry. */
export const mirrorTaskShape = {
  source: sourceRuleSchema,
  targets: targetRulesSchema,
  ...mirrorRulesShape,
  notifications: notificationRuleSchema.prefault({}),
};

export type SourceRule = z.infer<typeof sourceRuleSchema>;
export type TargetRule = z.infer<typeof targetRuleSchema>;
export type NewestRule = z.infer<typeof newestRuleSchema>;
export type TagRule = z.infer<typeof tagRuleSchema>;
export type PlatformSelector = z.infer<typeof platformSelectorSchema>;
export type PlatformRule = z.infer<typeof platformRuleSchema>;
export type ArtifactRule = z.infer<typeof artifactRuleSchema>;
export type ExistingRule = z.infer<typeof existingRuleSchema>;
export type PruneRule = z.infer<typeof pruneRuleSchema>;
export type Schedule = z.infer<typeof scheduleSchema>;
export type RetryRule = z.infer<typeof retryRuleSchema>;
export type NotificationRule = z.infer<typeof notificationRuleSchema>;
export type MirrorRules = z.infer<typeof mirrorRulesSchema>;
/** Rules as they are written, before defaults. */
export type MirrorRulesInput = z.input<typeof mirrorRulesSchema>;
