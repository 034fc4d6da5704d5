import { RegistryError } from "../registry.ts";
import { narrowTags, needsCreated, selectTags } from "../rules/index.ts";
import { createdDate } from "./created-date.ts";
import { inOrder } from "./in-order.ts";
import { tagsOf } from "./listing.ts";
import { type ImageName, type MirrorTask, type PlanPorts, trying } from "./mirror-task.ts";

/** The tags of a repository, and those among them that the rules select. */
export interface TagSelection {
  /** As far as they could be listed. */
  readonly all: readonly string[];
  /** Why there may be more. */
  readonly failure?: unknown;
  readonly selected: readonly string[];
  /** Tags whose images do not say when they were created, which the rules want to know, or could not be asked. */
  readonly undated: readonly string[];
}

/**
 * Lists the tags of a repository and selects among them. When images were created is only asked if the rules depend on
 * it. A list that cannot be read to its end is no error: `failure` says so.
 */
export async function selectedTags(task: MirrorTask, repository: string, ports: PlanPorts): Promise<TagSelection> {
  const { tags: all, ...failed } = await tagsOf(task, repository, ports);
  const { tags } = task.rules;
  const candidates = selectTags(all, tags);
  const created = new Map<string, number | null>();
  if (needsCreated(tags)) {
    const dated = inOrder(each(candidates), task.rules.concurrency, async (tag) => {
      return [tag, await createdOf(task, { repository, tag }, ports)] as const;
    });
    for await (const [tag, time] of dated) created.set(tag, time);
  }
  const selected = narrowTags(
    candidates.map((tag) => ({ tag, created: created.get(tag) ?? undefined })),
    tags,
    ports.clock(),
  );
  return { all, ...failed, selected, undated: candidates.filter((tag) => created.get(tag) === null) };
}

async function* each<T>(entries: readonly T[]): AsyncGenerator<T> {
  yield* entries;
}

/** `null` if the image does not say, or cannot be read. One image that is broken must not hold up the others. */
async function createdOf(task: MirrorTask, { repository, tag }: ImageName, ports: PlanPorts): Promise<number | null> {
  const source = task.source.repository(repository, "pull");
  const what = `the age of ${repository}:${tag}`;
  try {
    return await trying(what, task, ports, async () => {
      const head = await source.head(tag);
      if (head === undefined) return null;
      const known = await ports.created?.load(head.digest);
      if (known !== undefined) return known;
      const created = await createdDate(source, head.digest, ports.signal);
      await ports.created?.save(head.digest, created);
      return created;
    });
  } catch (error) {
    ports.signal.throwIfAborted();
    if (error instanceof RegistryError && error.failure !== "delayed") return null;
    throw error;
  }
}
