import {
  isTransient,
  type MirrorTask,
  type PlannedItem,
  type PlanPorts,
  planItem,
  RegistryError,
  repositoriesOf,
  repositoryMatcher,
  selectedTags,
  TakenNames,
} from "../../mirror/index.ts";
import type { ItemStore, NewItem, StoredExecution, StoredItem } from "../store/index.ts";
import { advance } from "./advance.ts";
import type { CallMeter } from "./call-meter.ts";
import type { RunReporter } from "./run-reporter.ts";
import type { SyncPorts } from "./sync-ports.ts";

/** What a step of planning works with. */
export interface Planning {
  readonly run: StoredExecution;
  readonly mirror: MirrorTask;
  readonly ports: PlanPorts;
  readonly reporter: RunReporter;
  /** When to hand over to another message, in milliseconds since the Unix epoch. */
  readonly deadline: number;
  /** It hands over too when it may call little more. */
  readonly meter: Pick<CallMeter, "isLow">;
}

/** Items that are written, and begun, at once. */
const BATCH = 50;
const PAGE = 1000;
/** Longest list of names in a message for people. */
const SOME = 5;

/**
 * Finds out what is to be copied, as far as one message can: lists, selects and compares, and has copies begin meanwhile.
 * What an earlier message found stays. Answers whether the plan is complete.
 * @throws RegistryError "delayed"; the signal's reason
 */
export async function planRun(planning: Planning, ports: SyncPorts): Promise<boolean> {
  const known = planning.run.itemsTotal > 0 ? await knownItems(planning.run.id, ports.items) : nothing();
  const sink = new ItemSink(planning, ports, known);
  if (planning.run.onlyFailedOf !== null) {
    await repeatFailed(planning.run.onlyFailedOf, sink, ports.items);
    return true;
  }
  let found = false;
  try {
    for await (const repository of repositories(planning, sink)) {
      found = true;
      if (known.complete.has(repository)) continue;
      if (!(await planRepository(repository, planning, sink))) return false;
    }
  } finally {
    // What was found is not looked for again by the message that goes on.
    await sink.flush();
  }
  if (!found) planning.reporter.log("warn", `${planning.mirror.source.name} has no repository that the task selects`);
  return true;
}

interface Known {
  /** `<repository>:<tag>` of items that are there. */
  readonly items: ReadonlySet<string>;
  /** Repositories that have items, but for the last, which may have been left in the middle. */
  readonly complete: ReadonlySet<string>;
  readonly taken: TakenNames;
}

const nothing = (): Known => ({ items: new Set(), complete: new Set(), taken: new TakenNames() });

async function knownItems(execution: number, items: ItemStore): Promise<Known> {
  const names = new Set<string>();
  const complete = new Set<string>();
  const taken = new TakenNames();
  let last: StoredItem | undefined;
  for (;;) {
    const page = await items.list(execution, { after: last?.id ?? 0, limit: PAGE });
    for (const { repository, tag, targets } of page) {
      names.add(`${repository}:${tag}`);
      complete.add(repository);
      for (const target of targets) taken.take(`${repository}:${tag}`, target);
    }
    last = page.at(-1) ?? last;
    if (page.length < PAGE) break;
  }
  if (last !== undefined) complete.delete(last.repository);
  return { items: names, complete, taken };
}

async function* repositories({ mirror, ports }: Planning, sink: ItemSink): AsyncIterable<string> {
  try {
    yield* repositoriesOf(mirror, ports);
  } catch (error) {
    await sink.addFailure("", error);
  }
}

/** Answers whether it was done to its end. */
async function planRepository(repository: string, planning: Planning, sink: ItemSink): Promise<boolean> {
  const { mirror, ports, reporter, run, deadline, meter } = planning;
  const { all, selected, undated, failure } = await selectedTags(mirror, repository, ports);
  if (failure !== undefined) {
    const isListed = !repositoryMatcher(mirror.select).exact.includes(repository);
    if (isListed && all.length === 0 && failure instanceof RegistryError && failure.failure === "missing") {
      // Registries list repositories to which something is being pushed for the first time.
      reporter.log("info", `${repository} has no tags yet`);
      return true;
    }
    if (!sink.isKnown(repository, "")) await sink.addFailure(repository, failure);
  }
  if (undated.length > 0) {
    const names = undated.slice(0, SOME).join(", ");
    reporter.log("warn", `${repository}: ${undated.length} tags do not say when they were created: ${names}`);
  }
  const listed = failure === undefined ? new Set(all) : undefined;
  const only = run.tags === null ? undefined : new Set(run.tags);
  const wanted = selected.filter((tag) => (only?.has(tag) ?? true) && !sink.isKnown(repository, tag));
  const width = Math.max(1, mirror.rules.concurrency);
  for (let index = 0; index < wanted.length; index += width) {
    if (meter.isLow || ports.clock() >= deadline) return false;
    const tags = wanted.slice(index, index + width);
    const items = await Promise.all(tags.map((tag) => planItem(mirror, { repository, tag }, listed, ports)));
    for (const item of items) await sink.add(item);
  }
  return true;
}

/** Repeats what failed in another run, and nothing else. */
async function repeatFailed(execution: number, sink: ItemSink, items: ItemStore): Promise<void> {
  let after = 0;
  for (;;) {
    const page = await items.failed(execution, PAGE, after);
    for (const { repository, tag } of page) await sink.addPending(repository, tag);
    after = page.at(-1)?.id ?? after;
    if (page.length < PAGE) break;
  }
  await sink.flush();
}

/** Gathers what was planned, writes it in batches, and has copies begin. */
class ItemSink {
  readonly #planning: Planning;
  readonly #ports: SyncPorts;
  readonly #known: Known;
  #items: NewItem[] = [];

  constructor(planning: Planning, ports: SyncPorts, known: Known) {
    this.#planning = planning;
    this.#ports = ports;
    this.#known = known;
  }

  isKnown(repository: string, tag: string): boolean {
    return this.#known.items.has(`${repository}:${tag}`);
  }

  async add(item: PlannedItem): Promise<void> {
    await this.#push(this.#newItem(this.#known.taken.check(item)));
  }

  /** An image about which its copy will find out everything. */
  async addPending(repository: string, tag: string): Promise<void> {
    await this.#push({ repository, tag, digest: "", targets: [], state: "pending" });
  }

  /** A list that could not be read; without a repository it is that of the repositories. */
  async addFailure(repository: string, error: unknown): Promise<void> {
    const { ports, reporter } = this.#planning;
    ports.signal.throwIfAborted();
    if (!(error instanceof RegistryError) || error.failure === "delayed") throw error;
    reporter.log("error", `${repository === "" ? "repositories" : `tags of ${repository}`}: ${error.message}`);
    await this.#push({ repository, tag: "", digest: "", targets: [], state: "failed", error: error.message });
  }

  async flush(): Promise<void> {
    const items = this.#items;
    if (items.length === 0) return;
    this.#items = [];
    const { id } = this.#planning.run;
    await this.#ports.items.insert(id, items);
    await this.#ports.hub.report(id, {});
    if (items.some(({ state }) => state === "pending")) await advance(id, this.#ports);
  }

  async #push(item: NewItem): Promise<void> {
    this.#items.push(item);
    if (this.#items.length >= BATCH) await this.flush();
  }

  #newItem(item: PlannedItem): NewItem {
    const { repository, tag, digest = "", state, reason, error } = item;
    const { run, reporter } = this.#planning;
    const targets = item.targets
      .filter((target) => target.state === "copy" || state === "attached")
      .map((target) => ({ registry: target.target.registry.name, repository: target.repository, tag: target.tag }));
    const about = { repository, tag, digest, targets, ...(reason === undefined ? {} : { error: reason }) };
    const image = `${repository}:${tag}`;
    switch (state) {
      case "copy":
      case "attached": {
        if (run.dryRun) return { ...about, state: "skipped", error: "it would be copied" };
        return { ...about, state: "pending" };
      }
      case "unchanged":
        return { ...about, state };
      case "skip":
        return { ...about, state: "skipped" };
      case "conflict":
        reporter.log("error", `${image}: ${reason ?? "the tag is another image at the target"}`);
        return { ...about, state };
      case "failed":
        // What may pass is tried again when it is copied.
        if (isTransient(error) && !run.dryRun) return { ...about, digest: "", targets: [], state: "pending" };
        reporter.log("error", `${image}: ${reason ?? "failed"}`);
        return { ...about, state };
    }
  }
}
