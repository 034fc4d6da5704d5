import { messageOf, type MirrorTask, type PlannedDeletion, type PlanPorts, trying } from "../plan/index.ts";
import { RegistryError } from "../registry.ts";
import type { PruneResult } from "./run-summary.ts";

/**
 * Deletes what was planned at one repository, or says only that it would; one result. What was deleted is told also where
 * it ends early.
 * @throws RegistryError "delayed"; the signal's reason
 */
export async function* deleteTags(
  task: MirrorTask,
  { target, repository, tags, refused }: PlannedDeletion,
  ports: PlanPorts,
  options: { readonly dryRun: boolean },
): AsyncGenerator<PruneResult> {
  const { registry } = target;
  const dryRun = options.dryRun || task.rules.prune.dryRun;
  const about = { registry: registry.name, repository, dryRun };
  if (refused !== undefined) return yield { ...about, tags: [], failed: [], refused };
  if (dryRun) return yield { ...about, tags, failed: [] };
  const there = registry.repository(repository, "push");
  const deleted: string[] = [];
  const failed: { tag: string; error: string }[] = [];
  for (const tag of tags) {
    try {
      await trying(`${repository}:${tag} at ${registry.name}`, task, ports, () => there.deleteTag(tag));
      deleted.push(tag);
    } catch (error) {
      // Work is put off, or is to stop.
      if (ports.signal.aborted || (error instanceof RegistryError && error.failure === "delayed")) {
        yield { ...about, tags: deleted, failed };
        throw error;
      }
      failed.push({ tag, error: messageOf(error) });
    }
  }
  yield { ...about, tags: deleted, failed };
}
