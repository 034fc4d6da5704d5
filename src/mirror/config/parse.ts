import type { z } from "zod";
import { err, ok, type Result } from "../../platform/index.ts";
import { registryIdentity } from "../client/index.ts";
import {
  circleOf,
  type PlatformRule,
  platformsOfArchitectures,
  type RetryRule,
  retryRuleSchema,
  type Schedule,
  scheduleSchema,
  type TargetRule,
} from "../rules/index.ts";
import { credentialOf } from "./credential-of.ts";
import { type GlobalEntry, type RetryEntry, type RuleEntry, type SyncFile, syncFileSchema } from "./entry-schemas.ts";
import type { Variables } from "./expand.ts";
import type { ConfigProblem, RegistryConfig, SyncConfig, TaskConfig } from "./sync-config.ts";
import { type FieldPath, MAX_PROBLEMS, readYaml, type Replacement, type YamlSource } from "./yaml-source.ts";

/** A configuration that holds, with what its writer should know. */
export interface ParsedSyncConfig {
  readonly config: SyncConfig;
  readonly warnings: readonly ConfigProblem[];
}

/** How many images are copied at once if neither the rule nor `global` says. */
const CONCURRENCY = 3;

type Complain = (path: FieldPath, message: string) => void;

/**
 * Reads a sync.yaml: registries, and rules that become tasks. Names of fields may be in snake case or camel case.
 * Variables are filled in (`expandVariables`). All problems are told at once, up to 100, each with its place.
 */
export function parseSyncYaml(
  text: string,
  variables: Variables,
  replacement?: Replacement,
): Result<ParsedSyncConfig, readonly ConfigProblem[]> {
  const source = readYaml(text, variables, replacement);
  const problems = [...source.problems];
  const warnings: ConfigProblem[] = [];
  // Without structure, the fields say nothing.
  if (source.value === undefined) return err(problems);
  const file = parseFile(source, problems);
  if (file === undefined) return err(inOrder(problems));
  const complain = teller(source, problems);
  const warn = teller(source, warnings);
  const registries = Object.entries(file.registries).map(([name, entry]) => ({ name, ...entry }));
  for (const registry of registries) checkRegistry(registry, complain, warn);
  const tasks = file.syncRules.map((rule, index) => {
    const path = ["syncRules", index];
    const task = taskOf(rule, file.global, path, complain);
    checkTask(task, file, path, complain);
    if (rule.tags.latest !== undefined && rule.tags.latest > 0) {
      warn([...path, "tags", "latest"], "means the newest by version here; newest: {count, by} says it in full");
    }
    return task;
  });
  checkNames(tasks, complain);
  checkCircles(tasks, registries, file, complain);
  warnOfFile(file, warn);
  return problems.length > 0 ? err(inOrder(problems)) : ok({ config: { registries, tasks }, warnings });
}

/** Keeps what is told, as long as it is not too much to read. */
function teller(source: YamlSource, told: ConfigProblem[]): Complain {
  return (path, message) => {
    if (told.length < MAX_PROBLEMS) told.push(source.problem(path, message));
  };
}

function parseFile(source: YamlSource, problems: ConfigProblem[]): SyncFile | undefined {
  const value = structuredClone(source.value);
  let parsed = syncFileSchema.safeParse(value);
  // A variable's value is text, whatever the field wants: `true` and `5` from a variable are what they look like.
  if (!parsed.success && retype(value, parsed.error.issues, source)) parsed = syncFileSchema.safeParse(value);
  const unknown = parsed.success ? unknownFields(value, parsed.data, []) : [];
  const complain = teller(source, problems);
  for (const path of unknown) complain(path, "is not a field that is known here");
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) complain(issue.path, plainMessage(issue));
  return undefined;
}

function retype(value: unknown, issues: readonly z.core.$ZodIssue[], source: YamlSource): boolean {
  let changed = false;
  for (const issue of issues) {
    if (issue.code !== "invalid_type") continue;
    const parent = valueAt(value, issue.path.slice(0, -1));
    const key = issue.path.at(-1);
    if (typeof parent !== "object" || parent === null || key === undefined) continue;
    const text: unknown = Reflect.get(parent, key);
    const old = issue.expected === "boolean" ? OLD_BOOLEANS.get(String(text).toLowerCase()) : undefined;
    const typed = source.expanded(issue.path) ? (typedText(text, issue.expected) ?? old) : old;
    if (typed === undefined) continue;
    Reflect.set(parent, key, typed);
    changed = true;
  }
  return changed;
}

/** What YAML 1.1 has besides `true` and `false`, as older files may. @see https://yaml.org/type/bool.html */
const OLD_BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ["yes", true],
  ["on", true],
  ["no", false],
  ["off", false],
]);

function typedText(text: unknown, wanted: string): boolean | number | undefined {
  if (typeof text !== "string") return undefined;
  if (wanted === "boolean") return text === "true" ? true : text === "false" ? false : undefined;
  if (wanted === "number" || wanted === "int") return /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined;
  return undefined;
}

function valueAt(value: unknown, path: FieldPath): unknown {
  return path.reduce<unknown>((inner, step) => {
    return typeof inner === "object" && inner !== null ? Reflect.get(inner, step) : undefined;
  }, value);
}

/** Fields that were given and that the schema took no notice of. */
function unknownFields(given: unknown, taken: unknown, path: FieldPath): FieldPath[] {
  if (typeof given !== "object" || given === null || typeof taken !== "object" || taken === null) return [];
  return Object.entries(given).flatMap(([key, value]) => {
    const step = Array.isArray(given) ? Number(key) : key;
    return key in taken ? unknownFields(value, Reflect.get(taken, key), [...path, step]) : [[...path, step]];
  });
}

function plainMessage(issue: z.core.$ZodIssue): string {
  if (issue.code === "custom") return issue.message;
  if (issue.code === "invalid_type") {
    return issue.message.endsWith("received undefined") ? "is needed" : issue.message.replace("Invalid input: ", "");
  }
  return issue.message;
}

function checkRegistry(registry: RegistryConfig, complain: Complain, warn: Complain): void {
  const at = (field: string) => ["registries", registry.name, field];
  if (registry.url === undefined && registry.type !== "local") complain(at("url"), "is needed");
  if (registry.url !== undefined) {
    const problem = urlProblem(registry.url, registry.insecure);
    if (problem !== undefined) complain(at("url"), problem);
    else if (registry.insecure && !registry.url.includes("://")) {
      warn(
        at("url"),
        "is taken for http://, as it is insecure; with https:// before it, only certificates are not verified",
      );
    }
  }
  if (registry.password !== undefined && registry.username === undefined) {
    complain(at("username"), "is needed with a password");
  }
  if (registry.username !== undefined && registry.password === undefined && registry.token === undefined) {
    warn(at("username"), "is not used: there is neither a password nor a token");
  }
  if (registry.token !== undefined && registry.password !== undefined) {
    // Only keys of AWS have both: the token is that of a session.
    if (credentialOf(registry).kind !== "ecr") complain(at("token"), "may not be given together with password");
  }
}

function urlProblem(text: string, insecure: boolean): string | undefined {
  const url = URL.parse(text.includes("://") ? text : `https://${text}`);
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === "") {
    return "must be an address such as https://registry.example.com";
  }
  if (url.username !== "" || url.password !== "") return "may not hold credentials; give username and password";
  if (url.protocol === "http:" && !insecure && text.includes("://")) return "is plain http, which takes insecure: true";
  return url.search === "" && url.hash === "" ? undefined : "may not hold a query or a fragment";
}

function taskOf(rule: RuleEntry, global: GlobalEntry, path: FieldPath, complain: Complain): TaskConfig {
  const { latest, ...tags } = rule.tags;
  if (latest !== undefined && latest > 0 && tags.newest !== undefined) {
    complain([...path, "tags", "latest"], "may not be given together with newest");
  }
  const newest = tags.newest ?? (latest === undefined || latest === 0 ? undefined : { count: latest, by: "version" });
  const schedule = scheduleOf(rule, path, complain);
  const timeout = rule.timeout ?? global.timeout;
  return {
    name: rule.name,
    ...(rule.description === undefined ? {} : { description: rule.description }),
    ...(timeout === undefined ? {} : { timeout }),
    spec: {
      source: rule.source,
      targets: targetsOf(rule, path, complain),
      tags: { ...tags, ...(newest === undefined ? {} : { newest }) },
      platforms: platformsOf(rule, path, complain),
      artifacts: rule.artifacts,
      existing: rule.existing,
      prune: rule.prune,
      ...(schedule === undefined ? {} : { schedule }),
      retry: retryOf(rule.retry, global.retry),
      concurrency: rule.concurrency ?? global.concurrency ?? CONCURRENCY,
      enabled: rule.enabled ?? true,
      notifications: rule.notifications,
    },
  };
}

function targetsOf(rule: RuleEntry, path: FieldPath, complain: Complain): TargetRule[] {
  if (rule.target !== undefined && rule.targets !== undefined) {
    complain([...path, "targets"], "may not be given together with target");
  }
  if (rule.target === undefined && rule.targets === undefined) complain([...path, "target"], "is needed, or targets");
  return rule.targets ?? (rule.target === undefined ? [] : [rule.target]);
}

function platformsOf(rule: RuleEntry, path: FieldPath, complain: Complain): PlatformRule {
  if (rule.architectures.length === 0) return rule.platforms ?? { mode: "all", select: [] };
  if (rule.platforms !== undefined) {
    complain([...path, "architectures"], "may not be given together with platforms");
  }
  const platforms = platformsOfArchitectures(rule.architectures);
  if (platforms.ok) return platforms.value;
  complain([...path, "architectures"], platforms.error);
  return { mode: "all", select: [] };
}

function scheduleOf(rule: RuleEntry, path: FieldPath, complain: Complain): Schedule | undefined {
  const { cronExpression: cron, timeZone, interval } = rule;
  // Older files have an empty expression where there is no schedule.
  if ((cron ?? "") === "" && timeZone === undefined && interval === undefined) return rule.schedule;
  if (rule.schedule !== undefined) {
    complain([...path, "schedule"], "may not be given together with cron_expression, time_zone or interval");
    return undefined;
  }
  const parsed = scheduleSchema.safeParse({ cron, timeZone, interval });
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    const [field] = issue.path;
    complain([...path, field === "cron" ? "cronExpression" : (field ?? "schedule")], issue.message);
  }
  return undefined;
}

function retryOf(...entries: readonly (RetryEntry | undefined)[]): RetryRule {
  const all = Object.assign({}, ...entries.toReversed().map((entry) => renamed(entry ?? {})));
  return retryRuleSchema.parse(all);
}

function renamed(entry: RetryEntry): Partial<RetryRule> {
  const attempts = entry.attempts ?? entry.maxAttempts;
  const initial = entry.initial ?? entry.initialInterval;
  const maximum = entry.maximum ?? entry.maxInterval;
  return {
    ...(attempts === undefined ? {} : { attempts }),
    ...(initial === undefined ? {} : { initial }),
    ...(maximum === undefined ? {} : { maximum }),
  };
}

function checkTask({ spec }: TaskConfig, file: SyncFile, path: FieldPath, complain: Complain): void {
  const known = (name: string, at: FieldPath): void => {
    if (!Object.hasOwn(file.registries, name)) complain(at, `there is no registry ${name} under registries`);
  };
  known(spec.source.registry, [...path, "source", "registry"]);
  spec.targets.forEach((target, index) => known(target.registry, [...targetPath(file, path, index), "registry"]));
}

/** Where a rule has a target. */
function targetPath(file: SyncFile, path: FieldPath, index: number): FieldPath {
  const isList = Array.isArray(file.syncRules[Number(path[1])]?.targets);
  return isList ? [...path, "targets", index] : [...path, "target"];
}

/** Each run would find what the one before wrote. */
function checkCircles(
  tasks: readonly TaskConfig[],
  registries: readonly RegistryConfig[],
  file: SyncFile,
  complain: Complain,
): void {
  const identities = new Map(
    registries.map(({ name, url }) => [name, url === undefined ? name : registryIdentity(url)]),
  );
  const named = <T extends { readonly registry: string }>(place: T): T => ({
    ...place,
    registry: identities.get(place.registry) ?? place.registry,
  });
  const flows = tasks.map(({ name, spec }) => {
    return { task: name, source: named(spec.source), targets: spec.targets.map(named) };
  });
  flows.forEach((flow, index) => {
    // Of the tasks of a circle, the last closes it.
    const circle = circleOf(flow, flows.slice(0, index));
    if (circle === undefined) return;
    const at = targetPath(file, ["syncRules", index], circle.target);
    const way = circle.through.length === 0 ? "" : `, by way of ${circle.through.join(" and ")}`;
    complain(at, `is where the images come from${way}: each run would find what the one before wrote`);
  });
}

function checkNames(tasks: readonly TaskConfig[], complain: Complain): void {
  const seen = new Set<string>();
  tasks.forEach(({ name }, index) => {
    if (seen.has(name)) complain(["syncRules", index, "name"], `another rule is called ${name} as well`);
    seen.add(name);
  });
}

function warnOfFile(file: SyncFile, warn: Complain): void {
  if (file.version !== undefined && Number(file.version) !== 1) {
    warn(["version"], `is ${file.version}; what is read here is version 1.0`);
  }
  const silent = file.syncRules.findIndex(({ enabled }) => enabled === undefined);
  if (silent === -1) return;
  const count = file.syncRules.filter(({ enabled }) => enabled === undefined).length;
  const others = count === 1 ? "" : ` (and ${count - 1} more)`;
  warn(
    ["syncRules", silent, "enabled"],
    `is not given${others}, which means true here; registry-sync took it for false`,
  );
}

function inOrder(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
}
