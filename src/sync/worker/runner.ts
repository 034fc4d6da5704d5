import { type CopyItemPorts, type MirrorTask, RegistryError } from "../../mirror/index.ts";
import { isActive, type StoredExecution } from "../store/index.ts";
import { advance } from "./advance.ts";
import { CallMeter } from "./call-meter.ts";
import { copyOne } from "./copy-step.ts";
import { endRun, finishRun } from "./end-run.ts";
import { sendMessage, type SyncMessage, syncMessageSchema } from "./messages.ts";
import { mirrorPorts, openTask, taskOf } from "./open-run.ts";
import { planRun } from "./plan-step.ts";
import { pruneRun } from "./prune-step.ts";
import { type RunReporter, runReporter } from "./run-reporter.ts";
import { StoppedError, watchRun } from "./run-watch.ts";
import { deadlineOf, type SyncPorts } from "./sync-ports.ts";

/** How long an item is taken for while its copy says that it lives, in milliseconds. */
const LEASE = 60_000;
/** Images that one message copies at most: a Worker may only call so many others. */
const MAX_COPIES = 25;
/** Of a message's time, the share after which it begins no other copy. */
const BEGIN_SHARE = 0.5;

/** How often a step is tried. */
const ATTEMPTS = 4;

/** Does the steps of runs that come by queue. Every step may be repeated. */
export class SyncRunner {
  readonly attempts = ATTEMPTS;
  readonly #ports: SyncPorts;

  constructor(ports: SyncPorts) {
    this.#ports = ports;
  }

  accepts(body: unknown): boolean {
    return syncMessageSchema.safeParse(body).success;
  }

  /** Does one step. @throws if it should be tried again, or is none that is known */
  async run(body: unknown): Promise<void> {
    const message = syncMessageSchema.parse(body);
    switch (message.type) {
      case "plan":
        return this.#plan(message.execution);
      case "copy":
        return this.#copy(message);
      case "advance":
        await advance(message.execution, this.#ports);
        return;
      case "prune":
        return this.#prune(message.execution);
      case "finish":
        return this.#finish(message.execution);
    }
  }

  /** Closes what failed every time: the item fails, and the run goes on; a run that cannot be planned ends. */
  async giveUp(body: unknown): Promise<void> {
    const message = syncMessageSchema.parse(body);
    const { items, executions, log } = this.#ports;
    log.error("sync.gave-up", { ...message });
    if (message.type === "copy") {
      const item = await items.get(message.item);
      const isOwn = item?.state === "copying" && item.attempts === message.attempt;
      const error = "its copy failed every time it was tried";
      if (isOwn) await items.finish(item.id, { state: "failed", errorClass: "transient", error });
    } else if (message.type !== "advance") {
      const run = await executions.get(message.execution);
      const error = `the step ${message.type} failed every time it was tried`;
      if (run !== undefined && isActive(run)) await endRun(run, this.#ports, { state: "failed", error });
      return;
    }
    await advance(message.execution, this.#ports);
  }

  async #plan(execution: number): Promise<void> {
    const { executions, queue } = this.#ports;
    const run = await executions.get(execution);
    // A plan that is complete is not made again.
    if (run === undefined || !isActive(run) || run.state === "running") return;
    if (run.stopRequested) return this.#finish(execution);
    if (!(await executions.setState(execution, "planning"))) return;
    await this.#ports.hub.report(execution, {});
    const deadline = deadlineOf(this.#ports);
    await this.#working(run, { type: "plan", execution }, async (mirror, ports, reporter, meter) => {
      if (await planRun({ run, mirror, ports, reporter, deadline, meter }, this.#ports)) {
        await executions.setState(execution, "running");
        await advance(execution, this.#ports);
      } else await sendMessage(queue, { type: "plan", execution });
    });
  }

  async #copy(message: Extract<SyncMessage, { type: "copy" }>): Promise<void> {
    const { items, executions, clock } = this.#ports;
    const { execution } = message;
    const run = await executions.get(execution);
    let item = await items.get(message.item);
    const isOwn = item?.state === "copying" && item.attempts === message.attempt;
    if (run === undefined || item === undefined || !isOwn || !(await items.renew(item.id, LEASE))) {
      await advance(execution, this.#ports);
      return;
    }
    const begun = clock();
    const lastBegin = begun + (deadlineOf(this.#ports) - begun) * BEGIN_SHARE;
    let current = item.id;
    const renew = () => items.renew(current, LEASE);
    const again = (delay: number) => items.release(current, delay, { isFailure: false });
    await this.#working(
      run,
      message,
      async (mirror, ports, reporter, meter) => {
        for (let count = 1; item !== undefined; count += 1) {
          current = item.id;
          await copyOne(item, { mirror, ports, reporter }, this.#ports);
          await reporter.flush();
          const takesOne = count < MAX_COPIES && clock() < lastBegin && !meter.isLow && !ports.signal.aborted;
          item = await advance(execution, this.#ports, { takesOne });
          if (item !== undefined) await items.renew(item.id, LEASE);
        }
      },
      { renew, again },
    );
  }

  async #prune(execution: number): Promise<void> {
    const { executions, queue } = this.#ports;
    const run = await executions.get(execution);
    if (run === undefined || !isActive(run)) return;
    if (!run.stopRequested) {
      await this.#working(run, { type: "prune", execution }, async (mirror, ports, reporter) => {
        await pruneRun(run, mirror, { ports, reporter }, this.#ports);
        await reporter.flush();
        await sendMessage(queue, { type: "finish", execution });
      });
      return;
    }
    await this.#finish(execution);
  }

  async #finish(execution: number): Promise<void> {
    await finishRun(execution, this.#ports);
  }

  /** Opens the registries and works with them until the run is to stop. What cannot be opened ends the run. */
  async #working(
    run: StoredExecution,
    message: SyncMessage,
    work: (mirror: MirrorTask, ports: CopyItemPorts, reporter: RunReporter, meter: CallMeter) => Promise<void>,
    {
      renew,
      again,
    }: { readonly renew?: () => Promise<boolean>; readonly again?: (delay: number) => Promise<void> } = {},
  ): Promise<void> {
    const { executions, queue, clock, log } = this.#ports;
    const watch = watchRun(run.id, this.#ports, renew);
    const reporter = runReporter(run.id, this.#ports);
    const meter = new CallMeter(this.#ports.callLimits);
    try {
      const task = await taskOf(run, this.#ports);
      if (task === undefined) return await endRun(run, this.#ports, { state: "canceled", error: "the task is gone" });
      const mirror = await openTask(task, this.#ports, { signal: watch.signal, meter });
      const about = { signal: watch.signal, meter, reporter, deadline: deadlineOf(this.#ports) };
      const images = message.type === "copy" ? "few" : "many";
      await work(mirror, mirrorPorts(run, mirror.source.origin, images, about, this.#ports), reporter, meter);
    } catch (error) {
      if (watch.signal.aborted || error instanceof StoppedError) {
        await again?.(0);
        await advance(run.id, this.#ports);
      } else if (error instanceof RegistryError && (error.failure === "delayed" || error.failure === "transient")) {
        const wait = error.retryAfter ?? PUT_OFF;
        if (wait > 0) reporter.log("warn", `${error.message}; it goes on in ${Math.ceil(wait / 1000)} s`);
        await executions.deferUntil(run.id, clock() + wait);
        // An item is not kept that long: whoever is there then takes it.
        await again?.(wait);
        await sendMessage(queue, again === undefined ? message : { type: "advance", execution: run.id }, wait);
      } else if (error instanceof RegistryError) {
        await reporter.flush();
        await endRun(run, this.#ports, { state: "failed", error: error.message });
      } else {
        log.error("sync.step-failed", { execution: run.id, step: message.type, error });
        throw error;
      }
    } finally {
      watch.end();
      await reporter.flush();
    }
  }
}

/** Waits of what may pass, without being told until when, in milliseconds. */
const PUT_OFF = 30_000;
