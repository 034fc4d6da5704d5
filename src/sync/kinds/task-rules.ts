import { DEFAULT_NAMESPACE, namespaceOf } from "../../oci/index.ts";
import { targetName } from "../../mirror/index.ts";
import type { Result } from "../../platform/index.ts";
import type { StatusCause } from "../../resources/index.ts";
import { LOCAL_REGISTRY } from "./names.ts";
import type { SyncTaskSpec } from "./sync-task.ts";

type Source = SyncTaskSpec["source"];
type Target = SyncTaskSpec["targets"][number];

/** A tag that stands for all that a task will find. */
const ANY_TAG = "any-tag";
/** What stands for a wildcard in names that stand for all that match. */
const ANY_NAME = "any-name";

/** What is wrong with a task beyond the shape of its rules. */
export function taskCauses({ source, targets }: SyncTaskSpec): StatusCause[] {
  return [...nameCauses(source, targets), ...duplicateCauses(targets)];
}

/** Names that cannot be had at a target, of repositories that are known now. */
function nameCauses(source: Source, targets: readonly Target[]): StatusCause[] {
  const names = exampleRepositories(source).filter((name) => !name.includes(ANY_NAME));
  return targets.flatMap((target, index) => {
    const wrong = names.map((name) => writtenTo(target, source, name)).find((written) => !written.ok);
    if (wrong === undefined || wrong.ok) return [];
    return [
      {
        reason: "FieldValueInvalid",
        field: `spec.targets[${index}].repository`,
        message: `Invalid value: ${wrong.error}`,
      },
    ];
  });
}

function duplicateCauses(targets: readonly Target[]): StatusCause[] {
  const seen = new Set<string>();
  return targets.flatMap(({ registry, repository = "", tag = "" }, index) => {
    const key = JSON.stringify([registry, repository, tag]);
    const isNew = !seen.has(key);
    seen.add(key);
    if (isNew) return [];
    const message = `Duplicate value: ${JSON.stringify(registry)}: another target is the same`;
    return [{ reason: "FieldValueDuplicate", field: `spec.targets[${index}]`, message }];
  });
}

/** Names and globs of what a task reads, with their project. */
function patternsOf({ repository, repositories, project }: Source): string[] {
  if (repository !== undefined) return [repository];
  return (repositories ?? ["**"]).map((pattern) => (project === undefined ? pattern : `${project}/${pattern}`));
}

/** Repositories that a task may find at its source: one for each name or glob. */
function exampleRepositories(source: Source): string[] {
  return patternsOf(source).map((pattern) => pattern.replaceAll(/\*+|\?/g, ANY_NAME));
}

function writtenTo({ repository }: Target, { project }: Source, source: string): Result<string, string> {
  const about = { repository: source, tag: ANY_TAG, ...(project === undefined ? {} : { project }) };
  return targetName(repository, about);
}

/** What a task does with a namespace of this registry itself; without one, it may be any. */
export interface LocalUse {
  readonly verb: "pull" | "push";
  readonly namespace: string | undefined;
  /** Path of the field that says so. */
  readonly field: string;
}

/** What a task would do in this registry, for which its writer needs rights. */
export function localUses({ source, targets }: SyncTaskSpec): LocalUse[] {
  const uses: LocalUse[] = [];
  if (source.registry === LOCAL_REGISTRY) {
    for (const namespace of new Set(patternsOf(source).map(namespaceOfPattern))) {
      uses.push({ verb: "pull", namespace, field: "spec.source" });
    }
  }
  for (const [index, target] of targets.entries()) {
    if (target.registry !== LOCAL_REGISTRY) continue;
    const isFlat = !patternsOf(source).some((pattern) => pattern.includes("**"));
    const written = exampleRepositories(source).map((name) => writtenTo(target, source, name));
    for (const namespace of new Set(written.map((name) => namespaceOfWritten(name, isFlat)))) {
      uses.push({ verb: "push", namespace, field: `spec.targets[${index}]` });
    }
  }
  return uses;
}

/** The namespace that all names of a pattern are in: their first component, or `default` for those with one only. */
function namespaceOfPattern(pattern: string): string | undefined {
  const [first = "", ...rest] = pattern.split("/");
  if (/[*?]/.test(first)) return first.includes("**") || rest.length > 0 ? undefined : DEFAULT_NAMESPACE;
  return namespaceOf(pattern);
}

/** The same of the name that a task writes to. @param isFlat nothing that is found has more components than its pattern */
function namespaceOfWritten(name: Result<string, string>, isFlat: boolean): string | undefined {
  if (!name.ok) return undefined;
  const [first = "", ...rest] = name.value.split("/");
  if (rest.length === 0 && isFlat) return DEFAULT_NAMESPACE;
  // What varies may have any namespace; a tag has no slashes, but may be one.
  if (first.includes(ANY_NAME) || (first.includes(ANY_TAG) && rest.length > 0)) return undefined;
  return namespaceOf(name.value);
}
