import { z } from "zod";
import type { GarbageCollector } from "../content/index.ts";
import { pruneEvents } from "../events/index.ts";
import type { Clock, Database, Log } from "../platform/index.ts";

/** One bounded step of clean-up: the body of a message in the maintenance queue (docs/schema.md). */
const stepSchema = z.discriminatedUnion("type", [
  /** Unlink orphans, delete condemned blobs. */
  z.object({ type: z.literal("sweep") }),
  /** Delete objects that no row names, one page of keys at a time. */
  z.object({ type: z.literal("reconcile"), cursor: z.string().optional() }),
  /** Forget old events. */
  z.object({ type: z.literal("prune-events") }),
]);

type Step = z.infer<typeof stepSchema>;

/** Minutes between plans. A sweep is two indexed queries; a reconciliation lists the whole store. */
const SWEEP_EVERY = 5;
const PRUNE_EVERY = 60;
const RECONCILE_EVERY = 24 * 60;

const PRUNE_ROWS = 5000;

/** What maintenance works with. */
export interface MaintenancePorts {
  readonly collector: GarbageCollector;
  readonly database: Database;
  readonly queue: Pick<Queue, "send">;
  readonly clock: Clock;
  readonly log: Log;
  /** How long events are kept, in milliseconds. */
  readonly eventRetention: number;
}

/** Plans clean-up by the clock and does it by queue: a cron tick only sends, and a step that has more to do sends the next. */
export class Maintenance {
  readonly #ports: MaintenancePorts;

  constructor(ports: MaintenancePorts) {
    this.#ports = ports;
  }

  /** Sends the steps that are due in the minute of `time` (milliseconds). */
  async plan(time: number): Promise<void> {
    const minute = Math.floor(time / 60_000);
    if (minute % SWEEP_EVERY === 0) await this.#send({ type: "sweep" });
    if (minute % PRUNE_EVERY === 0) await this.#send({ type: "prune-events" });
    if (minute % RECONCILE_EVERY === 0) await this.#send({ type: "reconcile" });
  }

  /** Does one step. Every step may be repeated. @throws if it should be tried again */
  async run(message: unknown): Promise<void> {
    const parsed = stepSchema.safeParse(message);
    if (!parsed.success) {
      this.#ports.log.error("maintenance.unknown-step", { message });
      return;
    }
    const next = await this.#step(parsed.data);
    if (next !== undefined) await this.#send(next);
  }

  /** Notes a step that failed every time. The clock plans the same kind of step again. */
  giveUp(message: unknown): void {
    this.#ports.log.error("maintenance.gave-up", { message });
  }

  async #step(step: Step): Promise<Step | undefined> {
    const { collector, database, clock, eventRetention } = this.#ports;
    switch (step.type) {
      case "sweep":
        return (await collector.sweep()) ? step : undefined;
      case "reconcile": {
        const cursor = await collector.reconcile(step.cursor);
        return cursor === undefined ? undefined : { ...step, cursor };
      }
      case "prune-events":
        return (await pruneEvents(database, clock() - eventRetention, PRUNE_ROWS)) === PRUNE_ROWS ? step : undefined;
    }
  }

  async #send(step: Step): Promise<void> {
    await this.#ports.queue.send(step);
  }
}
