import { deleteTags, type MirrorTask, Planner, type PlanPorts, type PruneResult } from "../../mirror/index.ts";
import type { NewItem, StoredExecution } from "../store/index.ts";
import type { RunReporter } from "./run-reporter.ts";
import type { SyncPorts } from "./sync-ports.ts";

/** What a step of pruning works with. */
interface Pruning {
  readonly ports: PlanPorts;
  readonly reporter: RunReporter;
}

/**
 * Deletes at the targets what the source no longer has, as far as the task wants that, or says what it would. The run
 * counts what was deleted; lists that could not be read to their end, and deletions that failed, are failures of it.
 * @throws RegistryError "delayed"; the signal's reason
 */
export async function pruneRun(
  run: StoredExecution,
  mirror: MirrorTask,
  { ports, reporter }: Pruning,
  { items, executions }: SyncPorts,
): Promise<void> {
  const fail = async (failure: NewItem): Promise<void> => {
    // Known from the plan, perhaps.
    if ((await items.insert(run.id, [failure])) === 0) return;
    reporter.log("error", `${failure.repository === "" ? "repositories" : failure.repository}: ${failure.error}`);
  };
  const one = async (result: PruneResult): Promise<void> => {
    const { registry, repository, tags, dryRun } = result;
    tell(result, reporter);
    if (!dryRun) await executions.count(run.id, { tagsDeleted: tags.length });
    const [first] = result.failed;
    if (first === undefined) return;
    // Not an image of the source: whoever repeats what failed must not look for it there.
    const why = `${result.failed.length} tags could not be deleted, such as ${first.tag}: ${first.error}`;
    await fail(failed(`${registry}/${repository}`, why));
  };
  for await (const step of new Planner(mirror, ports).deletions()) {
    if (step.type === "unreadable") await fail(failed(step.repository ?? "", step.error.message));
    else if (step.type === "note") reporter.log(step.level, step.message);
    else for await (const result of deleteTags(mirror, step.deletion, ports, { dryRun: run.dryRun })) await one(result);
  }
}

function tell({ registry, repository, tags, dryRun, refused, failed }: PruneResult, reporter: RunReporter): void {
  const where = `${repository} at ${registry}`;
  if (refused !== undefined) reporter.log("warn", `nothing was deleted from ${where}: ${refused}`);
  for (const tag of tags) reporter.log("info", `${dryRun ? "would delete" : "deleted"} ${tag} of ${where}`);
  for (const { tag, error } of failed) reporter.log("error", `${tag} of ${where} could not be deleted: ${error}`);
}

/** What failed of a run that is no image of the source. */
function failed(repository: string, error: string): NewItem {
  return { repository, tag: "", digest: "", targets: [], state: "failed", error };
}
