import { registryIdentity } from "../client/index.ts";
import { RegistryError } from "../registry.ts";
import { circleOf, repositoryMatcher } from "../rules/index.ts";
import { inOrder } from "./in-order.ts";
import { repositoriesOf, tagsOf } from "./listing.ts";
import { type ImageName, type MirrorTask, type PlanPorts } from "./mirror-task.ts";
import { compareItem, type PlannedItem } from "./plan-item.ts";
import { type ListedRepository, planDeletions, type PlannedDeletion } from "./plan-prune.ts";
import { selectedTags } from "./select-tags.ts";
import { type NameAtTarget, namesAtTargets, TakenNames } from "./target-names.ts";

/** What to plan, and for whom. */
export interface PlanOptions {
  /** Only these images, without looking for others, as after a run in which they failed. */
  readonly only?: Iterable<ImageName> | AsyncIterable<ImageName> | undefined;
  /** Only tags of these names, of all that the rules select. */
  readonly tags?: readonly string[] | undefined;
  /** Nothing is done afterwards, so that what only a copy would find out is found out by looking, as far as it can be. */
  readonly dryRun?: boolean;
  /** Keeps what was listed for `deletions`, which otherwise lists anew. */
  readonly keepsLists?: boolean;
}

/** A list that could not be read to its end; without a repository it is that of the repositories. */
export interface UnreadableList {
  readonly type: "unreadable";
  readonly repository?: string;
  readonly error: RegistryError;
}

/** What a plan comes to, one after the other. */
export type PlanStep =
  /** A repository of the source: its tags, those that the rules select, and those that do not say when they were made. */
  | {
      readonly type: "listed";
      readonly repository: string;
      readonly tags: number;
      readonly selected: number;
      readonly undated: readonly string[];
    }
  /** What is to be done about an image. `listed` are all tags of its repository, if they are known. */
  | { readonly type: "item"; readonly item: PlannedItem; readonly listed: ReadonlySet<string> | undefined }
  | UnreadableList
  /** Something that people should know. */
  | { readonly type: "note"; readonly level: "info" | "warn"; readonly message: string }
  /** The last one, if the ports had enough before the end. Another planner goes on after what was decided. */
  | { readonly type: "more" };

/** What is to be deleted, or why nothing is. */
export type DeletionStep =
  | { readonly type: "deletion"; readonly deletion: PlannedDeletion }
  | UnreadableList
  | { readonly type: "note"; readonly level: "warn"; readonly message: string };

/** Why nothing is deleted when a list of repositories broke off: one that is written to the same place may be missing. */
const NOT_ALL_LISTED = "nothing was deleted: the repositories could not all be listed";
/** Longest list of names in a message for people. */
const MAX_NAMES = 5;

/** An image that is to be compared, or what is known without that. */
interface Candidate {
  readonly name: ImageName;
  readonly names: readonly NameAtTarget[];
  readonly listed: ReadonlySet<string> | undefined;
}

/**
 * Decides what a task does: which images are copied, skipped, refused, and which tags are deleted. It writes nothing, so
 * that whoever runs a task and whoever only wants to know what it would do ask the same. Decisions come in the order of
 * the lists, however many are worked on at once; of two images with one name at a target the first has it.
 */
export class Planner {
  readonly #task: MirrorTask;
  readonly #ports: PlanPorts;
  readonly #options: PlanOptions;
  readonly #taken = new TakenNames();
  /** `<repository>:<tag>` of what was decided before. */
  readonly #decided = new Set<string>();
  /** Repositories of which something was decided, and the last of them, which may have been left in the middle. */
  readonly #begun = new Set<string>();
  #last: string | undefined;
  #lists: ListedRepository[] = [];
  /** Whether `#lists` are those of all repositories. */
  #isListed = false;
  #isUnreadable = false;
  #hasBegun = false;
  /** Tags that copies would bring, by `<origin> <repository>`. */
  readonly #arriving = new Map<string, Set<string>>();

  constructor(task: MirrorTask, ports: PlanPorts, options: PlanOptions = {}) {
    this.#task = task;
    this.#ports = ports;
    this.#options = options;
  }

  /**
   * Passes over an image that an earlier part of the plan decided. They are to be given in the order in which they were
   * decided; an empty tag stands for a list that could not be read.
   */
  passOver({ repository, tag }: ImageName): void {
    this.#decided.add(`${repository}:${tag}`);
    this.#begun.add(repository);
    this.#last = repository;
    const names = tag === "" ? [] : namesAtTargets(this.#task, { repository, tag });
    if (typeof names !== "string") this.#taken.take({ repository, tag }, names);
  }

  /**
   * What is to be done about images, in the order of the lists.
   * @throws RegistryError "refused" if the task may not run at all, "delayed"; the signal's reason
   */
  async *items(): AsyncGenerator<PlanStep> {
    const refusal = taskRefusal(this.#task);
    if (refusal !== undefined) throw new RegistryError("refused", refusal);
    const { concurrency } = this.#task.rules;
    const steps = inOrder(this.#candidates(), concurrency, async (step): Promise<PlanStep> => {
      if (!("name" in step)) return step;
      return { type: "item", item: await this.#compare(step), listed: step.listed };
    });
    for await (const step of steps) {
      if (step.type === "item") this.#noteArriving(step.item);
      yield step;
    }
  }

  /**
   * What is to be deleted at the targets: of the lists that `items` read to their end, or of its own.
   * @throws RegistryError "delayed"; the signal's reason
   */
  async *deletions(): AsyncGenerator<DeletionStep> {
    const { only, tags } = this.#options;
    // Who looks at some images only knows nothing of what is gone.
    if (!this.#task.rules.prune.enabled || only !== undefined || tags !== undefined) return;
    if (!this.#isListed) yield* this.#listAll();
    if (this.#isUnreadable) {
      yield { type: "note", level: "warn", message: NOT_ALL_LISTED };
      return;
    }
    const arriving = ({ registry }: { readonly registry: { readonly origin: string } }, repository: string) =>
      this.#arriving.get(`${registry.origin} ${repository}`) ?? [];
    for await (const deletion of planDeletions(this.#task, this.#lists, arriving, this.#ports)) {
      yield { type: "deletion", deletion };
    }
  }

  async *#candidates(): AsyncGenerator<Candidate | PlanStep> {
    const { only } = this.#options;
    if (only !== undefined) {
      for await (const name of only) {
        if (this.#isDecided(name)) continue;
        if (this.#hasEnough()) return yield { type: "more" };
        yield this.#candidate(name, undefined);
      }
      return;
    }
    let found = false;
    for await (const step of this.#repositories()) {
      if (typeof step !== "string") {
        yield step;
        continue;
      }
      found = true;
      if (this.#begun.has(step) && step !== this.#last) continue;
      for await (const candidate of this.#imagesOf(step)) {
        yield candidate;
        if ("type" in candidate && candidate.type === "more") return;
      }
    }
    this.#isListed = this.#options.keepsLists === true;
    if (!found && !this.#isUnreadable) {
      const message = `${this.#task.source.name} has no repository that the task selects`;
      yield { type: "note", level: "warn", message };
    }
  }

  async *#imagesOf(repository: string): AsyncGenerator<Candidate | PlanStep> {
    const { all, selected, undated, failure } = await selectedTags(this.#task, repository, this.#ports);
    const listed = failure === undefined ? new Set(all) : undefined;
    if (this.#options.keepsLists === true) this.#lists.push({ repository, tags: listed && all });
    if (failure !== undefined) {
      const step = this.#unreadable(failure, repository);
      if (all.length === 0 && step.error.failure === "missing" && this.#isFromCatalog(repository)) {
        // Registries list repositories to which something is being pushed for the first time.
        return yield { type: "note", level: "info", message: `${repository} has no tags yet` };
      }
      if (!this.#isDecided({ repository, tag: "" })) yield step;
    }
    yield { type: "listed", repository, tags: all.length, selected: selected.length, undated };
    if (undated.length > 0) {
      const message = `${repository}: ${undated.length} tags do not say when they were created: ${some(undated)}`;
      yield { type: "note", level: "warn", message };
    }
    const { tags } = this.#options;
    const only = tags === undefined ? undefined : new Set(tags);
    for (const tag of selected) {
      this.#ports.signal.throwIfAborted();
      const name = { repository, tag };
      if (only?.has(tag) === false || this.#isDecided(name)) continue;
      if (this.#hasEnough()) return yield { type: "more" };
      yield this.#candidate(name, listed);
    }
  }

  /** Names of repositories, and what went wrong with the list of them. */
  async *#repositories(): AsyncGenerator<string | UnreadableList> {
    try {
      yield* repositoriesOf(this.#task, this.#ports);
    } catch (error) {
      this.#isUnreadable = true;
      const step = this.#unreadable(error);
      if (!this.#isDecided({ repository: "", tag: "" })) yield step;
    }
  }

  /** Lists all tags of the source, for what is to be deleted. */
  async *#listAll(): AsyncGenerator<UnreadableList> {
    this.#lists = [];
    this.#isUnreadable = false;
    for await (const repository of this.#repositories()) {
      if (typeof repository !== "string") {
        yield repository;
        continue;
      }
      const { tags, failure } = await tagsOf(this.#task, repository, this.#ports);
      this.#lists.push({ repository, tags: failure === undefined ? tags : undefined });
      if (failure === undefined) continue;
      const step = this.#unreadable(failure, repository);
      // One that is gone, or is just being made, has none to compare with, and is no failure of the list.
      if (step.error.failure !== "missing") yield step;
    }
  }

  /** Takes the names of an image at the targets, which are known before it is looked at. */
  #candidate(name: ImageName, listed: ReadonlySet<string> | undefined): Candidate | PlanStep {
    const refused = (state: "refused" | "collides", reason: string): PlanStep => {
      return { type: "item", item: { ...name, state, reason, targets: [] }, listed };
    };
    const names = namesAtTargets(this.#task, name);
    if (typeof names === "string") return refused("refused", names);
    const taken = this.#taken.take(name, names);
    return taken === undefined ? { name, names, listed } : refused("collides", taken);
  }

  async #compare({ name, names, listed }: Candidate): Promise<PlannedItem> {
    const { source, targets } = this.#task;
    const release = await this.#ports.permits?.([source, ...targets.map(({ registry }) => registry)]);
    try {
      this.#ports.signal.throwIfAborted();
      return await compareItem(this.#task, name, names, { listed, dryRun: this.#options.dryRun === true }, this.#ports);
    } finally {
      release?.();
    }
  }

  #noteArriving({ targets }: PlannedItem): void {
    if (this.#options.dryRun !== true || this.#options.keepsLists !== true) return;
    for (const { target, repository, tag, state } of targets) {
      if (state !== "copy") continue;
      const key = `${target.registry.origin} ${repository}`;
      this.#arriving.set(key, (this.#arriving.get(key) ?? new Set()).add(tag));
    }
  }

  /** @throws what is no failure of the list: the signal's reason, "delayed", and what is not a registry's */
  #unreadable(error: unknown, repository?: string): UnreadableList {
    this.#ports.signal.throwIfAborted();
    if (!(error instanceof RegistryError) || error.failure === "delayed") throw error;
    return { type: "unreadable", ...(repository === undefined ? {} : { repository }), error };
  }

  #isDecided({ repository, tag }: ImageName): boolean {
    return this.#decided.has(`${repository}:${tag}`);
  }

  #isFromCatalog(repository: string): boolean {
    return !repositoryMatcher(this.#task.select).exact.includes(repository);
  }

  /** Not before one image: a plan whose every part has enough at once comes to its end all the same. */
  #hasEnough(): boolean {
    const isFirst = !this.#hasBegun;
    this.#hasBegun = true;
    return !isFirst && this.#ports.isEnough?.() === true;
  }
}

/**
 * Why a task may not run at all, whatever it would find: it would read what it writes, so that each run finds the work of
 * the one before. Registries are compared by their addresses, whatever they are called.
 */
export function taskRefusal({ name, source, select, targets }: MirrorTask): string | undefined {
  const flow = {
    task: name,
    source: { ...select, registry: registryIdentity(source.origin) },
    targets: targets.map((target) => ({ ...target, registry: registryIdentity(target.registry.origin) })),
  };
  const circle = circleOf(flow, []);
  return circle === undefined ? undefined : "the task would write to repositories that it reads from";
}

function some(names: readonly string[]): string {
  return names.length <= MAX_NAMES ? names.join(", ") : `${names.slice(0, MAX_NAMES).join(", ")}, …`;
}
