import {
  type ListedRepository,
  type MirrorTask,
  type PlanPorts,
  pruneTargets,
  RegistryError,
  repositoriesOf,
  tagsOf,
} from "../../mirror/index.ts";
import type { NewItem, StoredExecution } from "../store/index.ts";
import type { RunReporter } from "./run-reporter.ts";
import type { SyncPorts } from "./sync-ports.ts";

/**
 * Deletes at the targets what the source no longer has, as far as the task wants that, or says what it would.
 * @throws RegistryError if the repositories cannot be listed; the signal's reason
 */
export async function pruneRun(
  run: StoredExecution,
  mirror: MirrorTask,
  about: { readonly ports: PlanPorts; readonly reporter: RunReporter },
  { items }: SyncPorts,
): Promise<void> {
  const { ports, reporter } = about;
  const repositories: ListedRepository[] = [];
  for await (const repository of repositoriesOf(mirror, ports)) {
    repositories.push({ repository, tags: await tagsIfWhole(mirror, repository, ports) });
  }
  const failures: NewItem[] = [];
  for (const result of await pruneTargets(mirror, repositories, ports, { dryRun: run.dryRun })) {
    const { registry, repository, tags, dryRun, refused, failed } = result;
    const where = `${repository} at ${registry}`;
    if (refused !== undefined) reporter.log("warn", `nothing was deleted from ${where}: ${refused}`);
    for (const tag of tags) reporter.log("info", `${dryRun ? "would delete" : "deleted"} ${tag} of ${where}`);
    for (const { tag, error } of failed) reporter.log("error", `${tag} of ${where} could not be deleted: ${error}`);
    const [first] = failed;
    if (first === undefined) continue;
    // Not an image of the source: whoever repeats what failed must not look for it there.
    const error = `${failed.length} tags could not be deleted, such as ${first.tag}: ${first.error}`;
    failures.push({
      repository: `${registry}/${repository}`,
      tag: "",
      digest: "",
      targets: [],
      state: "failed",
      error,
    });
  }
  await items.insert(run.id, failures);
}

async function tagsIfWhole(
  mirror: MirrorTask,
  repository: string,
  ports: PlanPorts,
): Promise<readonly string[] | undefined> {
  try {
    return await tagsOf(mirror, repository, ports);
  } catch (error) {
    ports.signal.throwIfAborted();
    if (error instanceof RegistryError && error.failure !== "delayed") return undefined;
    throw error;
  }
}
