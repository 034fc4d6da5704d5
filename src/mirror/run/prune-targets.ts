import { RegistryError } from "../registry.ts";
import { pruneDecision, sourceTag, targetName } from "../rules/index.ts";
import { listed } from "./listing.ts";
import { messageOf, type MirrorTarget, type MirrorTask, type PlanPorts, trying } from "./mirror-task.ts";
import type { PruneResult } from "./run-summary.ts";

/** A repository of the source with all of its tags; `undefined` if they could not all be listed. */
export interface ListedRepository {
  readonly repository: string;
  readonly tags: readonly string[] | undefined;
}

/** A repository at a target, and all those of the source that are written to it. */
interface PruneGroup {
  readonly target: MirrorTarget;
  readonly repository: string;
  readonly sources: ListedRepository[];
}

/**
 * Deletes tags at the targets that the source no longer has, as far as the rules want that, or says which it would.
 * Where several repositories are written to one, nothing that one of them still has is deleted. What was deleted is
 * told also where it ends early.
 * @throws RegistryError "delayed"; the signal's reason
 */
export async function* pruneTargets(
  task: MirrorTask,
  repositories: readonly ListedRepository[],
  ports: PlanPorts,
  options: { readonly dryRun: boolean },
): AsyncIterable<PruneResult> {
  const dryRun = options.dryRun || task.rules.prune.dryRun;
  for (const group of groupsOf(task, repositories)) {
    ports.signal.throwIfAborted();
    const { result, stopped } = await pruneGroup(task, group, ports, dryRun);
    const { tags, failed, refused } = result;
    if (tags.length > 0 || failed.length > 0 || refused !== undefined) yield result;
    if (stopped !== undefined) throw stopped;
  }
}

/** Whether work is not to go on after an error: it is put off, or the run is to stop. */
function isStop(error: unknown, { signal }: PlanPorts): boolean {
  return signal.aborted || (error instanceof RegistryError && error.failure === "delayed");
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

async function pruneGroup(
  task: MirrorTask,
  { target, repository, sources }: PruneGroup,
  ports: PlanPorts,
  dryRun: boolean,
): Promise<{ readonly result: PruneResult; readonly stopped?: unknown }> {
  const about = { registry: target.registry.name, repository, dryRun };
  const refused = (reason: string) => ({ result: { ...about, tags: [], failed: [], refused: reason } });
  const there = target.registry.repository(repository, "push");
  const present: string[] = [];
  try {
    const what = `tags of ${repository} at ${target.registry.name}`;
    for await (const tag of listed(what, task, ports, () => there.tags())) present.push(tag);
  } catch (error) {
    if (isStop(error, ports)) throw error;
    return refused(`the tags at the target could not be listed: ${messageOf(error)}`);
  }
  const gone = new Set<string>();
  const kept = new Set<string>();
  for (const source of sources) {
    const nameAtSource = (tag: string) =>
      sourceTag(target.tag, { repository: source.repository, project: task.select.project }, tag);
    const decision = pruneDecision({
      rule: task.rules.prune,
      tags: task.rules.tags,
      source: source.tags,
      target: present,
      sourceTag: nameAtSource,
    });
    if ("refused" in decision) return refused(`${source.repository}: ${decision.refused}`);
    for (const tag of decision.delete) gone.add(tag);
    const tags = new Set(source.tags);
    for (const tag of present) if (tags.has(nameAtSource(tag) ?? "")) kept.add(tag);
  }
  const tags = [...gone].filter((tag) => !kept.has(tag));
  if (dryRun || tags.length === 0) return { result: { ...about, tags, failed: [] } };
  if (!target.registry.capabilities().deleteTags) return refused(`${target.registry.name} cannot delete tags`);
  const deleted: string[] = [];
  const failed: { tag: string; error: string }[] = [];
  for (const tag of tags) {
    try {
      await trying(`${repository}:${tag} at ${target.registry.name}`, task, ports, () => there.deleteTag(tag));
      deleted.push(tag);
    } catch (error) {
      if (isStop(error, ports)) return { result: { ...about, tags: deleted, failed }, stopped: error };
      failed.push({ tag, error: messageOf(error) });
    }
  }
  return { result: { ...about, tags: deleted, failed } };
}
