import { RegistryError } from "../registry.ts";
import { repositoryMatcher } from "../rules/index.ts";
import { type MirrorTask, type PlanPorts, trying } from "./mirror-task.ts";

/**
 * The repositories that a task reads, each once: those that it names, then those of the registry's list that its
 * patterns match.
 * @throws RegistryError if the list cannot be read
 */
export async function* repositoriesOf(task: MirrorTask, ports: PlanPorts): AsyncIterable<string> {
  const matcher = repositoryMatcher(task.select);
  yield* matcher.exact;
  if (!matcher.needsCatalog) return;
  const known = new Set(matcher.exact);
  const names = listed(`repositories of ${task.source.name}`, task, ports, () =>
    task.source.repositories(matcher.project),
  );
  for await (const name of names) {
    if (known.has(name) || !matcher.matches(name)) continue;
    known.add(name);
    yield name;
  }
}

/** The tags of a repository, as far as they could be listed. */
export interface ListedTags {
  readonly tags: readonly string[];
  /** Why there may be more: the list could not be read to its end. */
  readonly failure?: unknown;
}

/**
 * The tags of a repository of the source. It does not fail, but for the signal and "delayed": what was read until a
 * list broke off can be copied, but says nothing about what is not in it.
 */
export async function tagsOf(task: MirrorTask, repository: string, ports: PlanPorts): Promise<ListedTags> {
  const tags: string[] = [];
  try {
    const source = task.source.repository(repository, "pull");
    for await (const tag of listed(`tags of ${repository}`, task, ports, () => source.tags())) tags.push(tag);
    return { tags };
  } catch (failure) {
    ports.signal.throwIfAborted();
    if (failure instanceof RegistryError && failure.failure === "delayed") throw failure;
    return { tags, failure };
  }
}

/** The entries of a list, each once. A list that breaks off is read again from its start. */
export async function* listed(
  what: string,
  task: MirrorTask,
  ports: PlanPorts,
  open: () => AsyncIterable<readonly string[]>,
): AsyncIterable<string> {
  const seen = new Set<string>();
  let pages: AsyncIterator<readonly string[]> | undefined;
  const nextPage = async (): Promise<IteratorResult<readonly string[]>> => {
    pages ??= open()[Symbol.asyncIterator]();
    try {
      return await pages.next();
    } catch (error) {
      pages = undefined;
      throw error;
    }
  };
  for (;;) {
    const page = await trying(what, task, ports, nextPage);
    if (page.done === true) return;
    for (const entry of page.value) {
      if (seen.has(entry)) continue;
      seen.add(entry);
      yield entry;
    }
  }
}
