import {
  type ImageName,
  isTransient,
  type MirrorTask,
  OTHER_IMAGE,
  type PlannedItem,
  type PlannedTarget,
  Planner,
  type PlanPorts,
  type UnreadableList,
} from "../../mirror/index.ts";
import type { ItemStore, NewItem, StoredExecution } from "../store/index.ts";
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

/**
 * Drives the planner as far as one message can: writes what it decides, and has copies begin meanwhile. What an earlier
 * message wrote stays. Answers whether the plan is complete.
 * @throws RegistryError "delayed", "refused"; the signal's reason
 */
export async function planRun(planning: Planning, ports: SyncPorts): Promise<boolean> {
  const { run, mirror, deadline, meter, reporter } = planning;
  const planPorts = { ...planning.ports, isEnough: () => meter.isLow || ports.clock() >= deadline };
  const planner = new Planner(mirror, planPorts, {
    dryRun: run.dryRun,
    ...(run.onlyFailedOf === null ? {} : { only: failedImages(run.onlyFailedOf, ports.items) }),
    ...(run.tags === null ? {} : { tags: run.tags }),
  });
  if (run.itemsTotal > 0) await passOverKnown(planner, run.id, ports.items);
  const sink = new ItemSink(planning, ports);
  try {
    for await (const step of planner.items()) {
      if (step.type === "item") await sink.add(step.item);
      else if (step.type === "unreadable") await sink.addFailure(step);
      else if (step.type === "note") reporter.log(step.level, step.message);
      else if (step.type === "more") return false;
    }
  } finally {
    // What was found is not looked for again by the message that goes on.
    await sink.flush();
  }
  return true;
}

/** Tells the planner what earlier messages planned, in the order in which they did. */
async function passOverKnown(planner: Planner, execution: number, items: ItemStore): Promise<void> {
  let after = 0;
  for (;;) {
    const page = await items.list(execution, { after, limit: PAGE });
    for (const item of page) planner.passOver(item);
    after = page.at(-1)?.id ?? after;
    if (page.length < PAGE) return;
  }
}

/** The images that failed in another run. */
async function* failedImages(execution: number, items: ItemStore): AsyncGenerator<ImageName> {
  let after = 0;
  for (;;) {
    const page = await items.failed(execution, PAGE, after);
    for (const { repository, tag } of page) if (tag !== "") yield { repository, tag };
    after = page.at(-1)?.id ?? after;
    if (page.length < PAGE) return;
  }
}

/** Gathers what was planned, writes it in batches, and has copies begin. */
class ItemSink {
  readonly #planning: Planning;
  readonly #ports: SyncPorts;
  #items: NewItem[] = [];

  constructor(planning: Planning, ports: SyncPorts) {
    this.#planning = planning;
    this.#ports = ports;
  }

  async add(item: PlannedItem): Promise<void> {
    await this.#push(this.#newItem(item));
  }

  async addFailure({ repository = "", error }: UnreadableList): Promise<void> {
    const what = repository === "" ? "repositories" : `tags of ${repository}`;
    this.#planning.reporter.log("error", `${what}: ${error.message}`);
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
    const targets = item.targets.filter((target) => isKept(target, item)).map(storedTarget);
    const about = { repository, tag, digest, targets, ...(reason === undefined ? {} : { error: reason }) };
    const image = `${repository}:${tag}`;
    switch (state) {
      case "copy":
        if (run.dryRun) return { ...about, state: "skipped", error: "it would be copied" };
        return { ...about, state: "pending" };
      case "attached":
        // It has the image; what may be new belongs to it.
        return run.dryRun ? { ...about, targets: [], state: "unchanged" } : { ...about, state: "pending" };
      case "unchanged":
        return { ...about, state };
      case "skip":
        return { ...about, state: "skipped" };
      case "conflict":
        reporter.log("error", `${image}: ${reason ?? OTHER_IMAGE}`);
        return { ...about, state };
      case "refused":
      case "collides":
      case "failed":
        // What may pass is tried again when it is copied.
        if (isTransient(error) && !run.dryRun) return { ...about, digest: "", targets: [], state: "pending" };
        reporter.log("error", `${image}: ${reason ?? "failed"}`);
        return { ...about, state: "failed", ...(state === "collides" ? { errorClass: "collision" } : {}) };
    }
  }
}

/** Whether a copy has to know of a target: it writes there, or another image is there that makes it a conflict. */
function isKept({ state }: PlannedTarget, item: PlannedItem): boolean {
  return state === "copy" || item.state === "attached" || (item.state === "copy" && state === "conflict");
}

function storedTarget({ target, repository, tag, state }: PlannedTarget): NewItem["targets"][number] {
  const name = { registry: target.registry.name, repository, tag };
  return state === "conflict" ? { ...name, state } : name;
}
