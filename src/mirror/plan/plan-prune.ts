import { RegistryError } from "../registry.ts";
import { pruneDecision, sourceTag, targetName } from "../rules/index.ts";
import { listed } from "./listing.ts";
import { messageOf, type MirrorTarget, type MirrorTask, type PlanPorts } from "./mirror-task.ts";

/** A repository of the source with all of its tags; `undefined` if they could not all be listed. */
export interface ListedRepository {
  readonly repository: string;
  readonly tags: readonly string[] | undefined;
}

/** What is to be deleted from one repository at a target. */
export interface PlannedDeletion {
  /** Of the task's targets. */
  readonly target: MirrorTarget;
  /** The whole name there. */
  readonly repository: string;
  /** None if it is refused. */
  readonly tags: readonly string[];
  /** Why nothing is deleted there. */
  readonly refused?: string;
}

/** A repository at a target, and all those of the source that are written to it. */
interface PruneGroup {
  readonly target: MirrorTarget;
  readonly repository: string;
  readonly sources: ListedRepository[];
}

/**
 * Which tags at the targets the source no longer has, as far as the rules want them deleted. Where several repositories
 * are written to one, nothing that one of them still has is deleted. `arriving` are tags that will be at a target by then,
 * which count for the share of all that is deleted.
 * @throws RegistryError "delayed"; the signal's reason
 */
export async function* planDeletions(
  task: MirrorTask,
  repositories: readonly ListedRepository[],
  arriving: (target: MirrorTarget, repository: string) => Iterable<string>,
  ports: PlanPorts,
): AsyncGenerator<PlannedDeletion> {
  for (const group of groupsOf(task, repositories)) {
    ports.signal.throwIfAborted();
    const { target, repository } = group;
    const deletion = await deletionOf(task, group, arriving(target, repository), ports);
    if (typeof deletion === "string") yield { target, repository, tags: [], refused: deletion };
    else if (deletion.length > 0) yield { target, repository, tags: deletion };
  }
}

function groupsOf(task: MirrorTask, repositories: readonly ListedRepository[]): Iterable<PruneGroup> {
  const groups = new Map<string, PruneGroup>();
  for (const [index, target] of task.targets.entries()) {
    for (const listed of repositories) {
      const name = targetName(target.repository, {
        repository: listed.repository,
        project: task.select.project,
        tag: "latest",
      });
      // A template with the tag in the repository's name spreads a repository over many, which cannot be told apart.
      if (!name.ok || target.repository?.includes(".Tag")) continue;
      const key = `${index} ${name.value}`;
      const group = groups.get(key) ?? { target, repository: name.value, sources: [] };
      group.sources.push(listed);
      groups.set(key, group);
    }
  }
  return groups.values();
}

/** Tags to delete; a text says why none are. */
async function deletionOf(
  task: MirrorTask,
  { target, repository, sources }: PruneGroup,
  arriving: Iterable<string>,
  ports: PlanPorts,
): Promise<readonly string[] | string> {
  const { registry } = target;
  const present = new Set(arriving);
  try {
    const what = `tags of ${repository} at ${registry.name}`;
    const there = registry.repository(repository, "push");
    for await (const tag of listed(what, task, ports, () => there.tags())) present.add(tag);
  } catch (error) {
    ports.signal.throwIfAborted();
    if (error instanceof RegistryError && error.failure === "delayed") throw error;
    // A repository that is not there has nothing to delete.
    const isMissing = error instanceof RegistryError && error.failure === "missing";
    if (!isMissing) return `the tags at the target could not be listed: ${messageOf(error)}`;
  }
  const gone = new Set<string>();
  const kept = new Set(arriving);
  for (const source of sources) {
    const nameAtSource = (tag: string) =>
      sourceTag(target.tag, { repository: source.repository, project: task.select.project }, tag);
    const decision = pruneDecision({
      rule: task.rules.prune,
      tags: task.rules.tags,
      source: source.tags,
      target: [...present],
      sourceTag: nameAtSource,
    });
    if ("refused" in decision) return `${source.repository}: ${decision.refused}`;
    for (const tag of decision.delete) gone.add(tag);
    const tags = new Set(source.tags);
    for (const tag of present) if (tags.has(nameAtSource(tag) ?? "")) kept.add(tag);
  }
  const tags = [...gone].filter((tag) => !kept.has(tag));
  if (tags.length > 0 && !registry.capabilities().deleteTags) return `${registry.name} cannot delete tags`;
  return tags;
}
