import { architecturesOfPlatforms, platformsOfArchitectures } from "../../mirror/index.ts";
import { sameJson } from "../../resources/index.ts";
import type { SyncTaskSpec } from "../kinds/index.ts";
import { invalidField } from "./rest-fault.ts";
import type { FlatRules } from "./task-schemas.ts";

/** What follows the project in a name at the source. */
const SAME_NAME = "{{ .Name }}";
const IS_GLOB = /[*?]/;

/** A spec on its way: the kind fills in what is missing, and says what is wrong. */
export type WantedTask = Partial<SyncTaskSpec>;

/** The rules of a task in the fields of the older shape, as far as those can say it. */
export function flatRules({
  source,
  targets,
  tags,
  platforms,
  schedule,
  notifications,
  enabled,
}: WantedTask): FlatRules {
  const { project: sourceProject = "", repository, repositories = [] } = source ?? { registry: "" };
  const [only = ""] = repositories.length === 1 ? repositories : [];
  const sourceRepo = repository ?? (IS_GLOB.test(only) ? "" : only);
  const [target] = targets ?? [];
  const { when = "failed", channels = [] } = notifications ?? {};
  return {
    source_registry: source?.registry ?? "",
    source_project: sourceProject,
    source_repo: sourceRepo,
    target_registry: target?.registry ?? "",
    ...flatTarget(target?.repository ?? "", sourceProject !== ""),
    tag_include: tags?.include ?? [],
    tag_exclude: tags?.exclude ?? [],
    tag_latest: tags?.newest?.count ?? 0,
    architectures: platforms === undefined ? [] : architecturesOfPlatforms(platforms),
    enabled: enabled ?? true,
    cron_expression: schedule?.cron ?? "",
    send_notification: when !== "never" && channels.length > 0,
    notification_condition: when === "all" ? "all" : "failed",
    notification_channels: channels,
  };
}

/** The fields that say something else than `before`. */
export function differing(before: FlatRules, given: Partial<FlatRules>): Partial<FlatRules> {
  return Object.fromEntries(
    Object.entries(given).filter(([field, value]) => !sameJson(value, Reflect.get(before, field))),
  );
}

/** The name at the target in two parts, if the source is in two parts; else whole. */
function flatTarget(template: string, inParts: boolean): Pick<FlatRules, "target_project" | "target_repo"> {
  const [, project = "", rest = ""] = /^([^{}]+?)\/(\{\{ ?\.Name ?\}\})$/.exec(template) ?? [];
  if (rest !== "") return { target_project: project, target_repo: "" };
  const slash = template.indexOf("/");
  if (!inParts || slash === -1 || template.includes("{{")) return { target_project: "", target_repo: template };
  return { target_project: template.slice(0, slash), target_repo: template.slice(slash + 1) };
}

/**
 * The spec with those fields of the older shape that say something else than it does. What they cannot say stays as it
 * is, so a task that is written back as it was read is the same.
 * @throws {RestFault} 400
 */
export function withFlatRules(spec: WantedTask, given: Partial<FlatRules>): WantedTask {
  const before = flatRules(spec);
  const changed = differing(before, given);
  const after = { ...before, ...changed };
  const touches = (...fields: readonly (keyof FlatRules)[]) => fields.some((field) => field in changed);
  const renamesSource = touches("source_project", "source_repo");
  const renamesTarget = touches("target_project", "target_repo");
  const wanted = {
    ...spec,
    ...((renamesSource || touches("source_registry")) && { source: sourceOf(spec, after, renamesSource) }),
    ...((renamesTarget || touches("target_registry")) && { targets: targetsOf(spec, after, renamesTarget) }),
    ...(touches("tag_include", "tag_exclude", "tag_latest") && { tags: tagsOf(spec, after) }),
    ...(touches("architectures") && { platforms: platformsOf(after.architectures) }),
    ...(touches("enabled") && { enabled: after.enabled }),
    ...(touches("send_notification", "notification_condition", "notification_channels") && {
      notifications: notificationsOf(spec, after, given.send_notification),
    }),
  };
  return touches("cron_expression") ? withCron(wanted, after.cron_expression) : wanted;
}

function sourceOf({ source }: WantedTask, flat: FlatRules, isRenamed: boolean): SyncTaskSpec["source"] {
  const { source_registry: registry, source_project: project, source_repo: repo } = flat;
  if (!isRenamed && source !== undefined) return { ...source, registry };
  if (project === "") return repo === "" ? { registry } : { registry, repository: repo };
  return repo === "" ? { registry, project } : { registry, project, repositories: [repo] };
}

function targetsOf({ targets = [] }: WantedTask, flat: FlatRules, isRenamed: boolean): SyncTaskSpec["targets"] {
  const { target_registry: registry, target_project: project, target_repo: repo } = flat;
  const [first, ...others] = targets;
  const { repository: _repository, ...same } = first ?? { registry };
  const name = project === "" ? repo : `${project}/${repo === "" ? SAME_NAME : repo}`;
  const repository = isRenamed ? name : (first?.repository ?? "");
  return [{ ...same, registry, ...(repository === "" ? {} : { repository }) }, ...others];
}

function tagsOf({ tags }: WantedTask, flat: FlatRules): SyncTaskSpec["tags"] {
  const { newest, ...others } = tags ?? { include: [], exclude: [], anchored: false };
  const { tag_include: include, tag_exclude: exclude, tag_latest: count } = flat;
  const rule = { ...others, include: [...include], exclude: [...exclude] };
  return count === 0 ? rule : { ...rule, newest: { by: newest?.by ?? "version", count } };
}

/** @throws {RestFault} 400 */
function platformsOf(architectures: readonly string[]): SyncTaskSpec["platforms"] {
  const platforms = platformsOfArchitectures(architectures);
  if (!platforms.ok) throw invalidField("architectures", platforms.error);
  return platforms.value;
}

function withCron({ schedule, ...spec }: WantedTask, cron: string): WantedTask {
  if (cron === "") return spec;
  const { timeZone } = schedule ?? {};
  return { ...spec, schedule: { cron, ...(timeZone === undefined ? {} : { timeZone }) } };
}

/** Channels alone are a wish to be told; the switch says otherwise where it is given. */
function notificationsOf(
  { notifications }: WantedTask,
  { notification_condition: condition, notification_channels: channels }: FlatRules,
  send = notifications?.when !== "never",
): SyncTaskSpec["notifications"] {
  return { when: send ? condition : "never", channels: [...channels] };
}
