import * as z from "zod";
import type { GarbageCollector } from "../content/index.ts";
import type { Clock, Log } from "../platform/index.ts";
import { type Resources, resourceStepSchema } from "../resources/index.ts";
import type { MessageConsumer } from "./message-consumers.ts";
import type { Secrets } from "../secrets/index.ts";
import type { AuditChain } from "../audit/index.ts";

/** One bounded step of clean-up: the body of a message in the maintenance queue (docs/schema.md). */
const ownStepSchema = z.discriminatedUnion("type", [
  /** Unlink orphans, delete condemned blobs. */
  z.object({ type: z.literal("sweep") }),
  /** Delete objects that no row names, one page of keys at a time. */
  z.object({ type: z.literal("reconcile"), cursor: z.string().optional() }),
  /** Forget old events. */
  z.object({ type: z.literal("prune-secret-audit") }),
  /** Forget values of secrets that are no longer in use. */
  z.object({ type: z.literal("collect-secrets") }),
  /** Put values under the newest data key, and data keys under the newest master key. */
  z.object({ type: z.literal("reencrypt-secrets"), cursor: z.string().optional() }),
  z.object({ type: z.literal("rewrap-secrets"), cursor: z.string().optional() }),
  /** Count what there is. */
  z.object({ type: z.literal("collect-usage") }),
  /** Chain new rows of the audit to those before them; forget old ones. */
  z.object({ type: z.literal("seal-audit") }),
  z.object({ type: z.literal("prune-audit") }),
  /** Forget keys, sessions and tokens that are no longer good. */
  z.object({ type: z.literal("prune-access") }),
  /** Mirroring: begin what is due, go on with what went silent, forget what is old. */
  z.object({ type: z.literal("sync-tick") }),
  z.object({ type: z.literal("sync-sweep") }),
  z.object({ type: z.literal("prune-sync") }),
]);
const stepSchema = z.union([ownStepSchema, resourceStepSchema]);

type Step = z.infer<typeof stepSchema>;

/** Minutes between plans of a step. */
const PLAN: readonly (readonly [every: number, step: Step])[] = [
  [1, { type: "sync-tick" }],
  [1, { type: "sync-sweep" }],
  [1, { type: "seal-audit" }],
  [5, { type: "sweep" }],
  [10, { type: "sweep-dependents" }],
  [10, { type: "expire-objects" }],
  [60, { type: "prune-secret-audit" }],
  [60, { type: "compact-changes" }],
  [60, { type: "collect-secrets" }],
  [60, { type: "collect-usage" }],
  [60, { type: "prune-audit" }],
  [60, { type: "prune-access" }],
  [60, { type: "prune-sync" }],
  // A reconciliation lists the whole store.
  [6 * 60, { type: "reconcile" }],
  [24 * 60, { type: "rewrap-secrets" }],
  [24 * 60, { type: "reencrypt-secrets" }],
];

const PRUNE_ROWS = 5000;

/** Credentials of one kind that come to an end. */
export interface AccessRemains {
  /** How long those that are no longer good are kept, in milliseconds. */
  readonly keep: number;
  /** Forgets those that ended before `time` (milliseconds), at most `limit`. Answers how many. */
  prune(time: number, limit: number): Promise<number>;
}

/** What the clock does for mirroring. */
export interface SyncMaintenance {
  /** Begins runs that are due; whether there are more. */
  tick(): Promise<boolean>;
  /** Goes on with runs that lost whoever worked on them. */
  resume(): Promise<void>;
  /** Goes on with all runs at once: the machine was started, and nobody works on any of them. */
  restart(): Promise<void>;
  /** Forgets old runs; whether there is more. */
  prune(): Promise<boolean>;
}

/** What maintenance works with. */
export interface MaintenancePorts {
  readonly collector: GarbageCollector;
  readonly resources: Resources["maintenance"];
  readonly usage: Resources["usage"];
  readonly secrets: Secrets["maintenance"];
  /** Whether secrets can be encrypted at all. */
  readonly hasSecretsKey: boolean;
  readonly queue: Pick<Queue, "send">;
  readonly clock: Clock;
  readonly log: Log;
  /** How long the audit of secrets is kept, in milliseconds. */
  readonly eventRetention: number;
  readonly audit: Pick<AuditChain, "seal" | "prune" | "ends">;
  /** How long the audit is kept, in milliseconds. */
  readonly auditRetention: number;
  /** API keys, sessions, refresh tokens, signing keys. */
  readonly access: readonly AccessRemains[];
  readonly sync: SyncMaintenance;
}

/** How often a step is tried. The clock plans the same kind of step again when it is due. */
const ATTEMPTS = 6;

/** How long a cron tick does steps itself, in milliseconds: an invocation may make a thousand queries. */
const TICK_MS = 5000;

/**
 * Does clean-up by the clock, and by queue what the clock does not come to: most steps find nothing to do, and a message
 * for each would be thousands a day. A step that has more to do sends the next.
 */
export class Maintenance implements MessageConsumer {
  readonly attempts = ATTEMPTS;
  readonly #ports: MaintenancePorts;

  constructor(ports: MaintenancePorts) {
    this.#ports = ports;
  }

  /**
   * Does the steps that are due in the minute of `time` (milliseconds), and sends those that fail, and those that it has
   * no time for.
   */
  async plan(time: number): Promise<void> {
    const { clock } = this.#ports;
    const minute = Math.floor(time / 60_000);
    const until = clock() + TICK_MS;
    for (const [every, step] of PLAN) {
      if (minute % every === 0 && (clock() >= until || !(await this.#attempt(step)))) await this.#send(step);
    }
  }

  /** Whether a step was done. */
  async #attempt(step: Step): Promise<boolean> {
    try {
      await this.run(step);
      return true;
    } catch (error) {
      this.#ports.log.warn("maintenance.step-failed", { type: step.type, error });
      return false;
    }
  }

  accepts(message: unknown): boolean {
    return stepSchema.safeParse(message).success;
  }

  /** Does one step. Every step may be repeated. @throws if it should be tried again, or is none that is known */
  async run(message: unknown): Promise<void> {
    const own = ownStepSchema.safeParse(message);
    const next = own.success
      ? await this.#step(own.data)
      : await this.#ports.resources.run(resourceStepSchema.parse(message));
    if (next !== undefined) await this.#send(next);
  }

  /** Notes a step that failed every time. */
  giveUp(message: unknown): void {
    this.#ports.log.error("maintenance.gave-up", { message });
  }

  async #step(step: z.infer<typeof ownStepSchema>): Promise<Step | undefined> {
    const { collector, secrets, usage, clock, eventRetention, hasSecretsKey } = this.#ports;
    switch (step.type) {
      case "sweep":
        return (await collector.sweep()) ? step : undefined;
      case "reconcile":
        return goOn(step, await collector.reconcile(step.cursor));
      case "prune-secret-audit":
        return (await secrets.pruneAudit(clock() - eventRetention, PRUNE_ROWS)) === PRUNE_ROWS ? step : undefined;
      case "collect-secrets":
        return (await secrets.collect()) ? step : undefined;
      case "reencrypt-secrets":
        return hasSecretsKey ? goOn(step, await secrets.reencrypt(step.cursor)) : undefined;
      case "rewrap-secrets":
        return hasSecretsKey ? goOn(step, await secrets.rewrap(step.cursor)) : undefined;
      case "collect-usage":
        await usage.collect();
        return undefined;
      case "seal-audit":
        return (await this.#ports.audit.seal()) ? step : undefined;
      case "prune-audit":
        return (await this.#pruneAudit()) ? step : undefined;
      case "prune-access":
        return (await this.#pruneAccess()) ? step : undefined;
      case "sync-tick":
        return (await this.#ports.sync.tick()) ? step : undefined;
      case "sync-sweep":
        await this.#ports.sync.resume();
        return undefined;
      case "prune-sync":
        return (await this.#ports.sync.prune()) ? step : undefined;
    }
  }

  /** Answers whether there is more. The ends of the chain are logged: elsewhere they cannot be changed with the rows. */
  async #pruneAudit(): Promise<boolean> {
    const { audit, auditRetention, clock, log } = this.#ports;
    const pruned = await audit.prune(clock() - auditRetention, PRUNE_ROWS);
    if (pruned === PRUNE_ROWS) return true;
    const { head, anchor } = await audit.ends();
    log.info("audit.head", { id: head.id, hash: head.hash, anchor });
    return false;
  }

  /** Answers whether there is more. */
  async #pruneAccess(): Promise<boolean> {
    const { access, clock } = this.#ports;
    const now = clock();
    let more = false;
    for (const remains of access) {
      if ((await remains.prune(now - remains.keep, PRUNE_ROWS)) >= PRUNE_ROWS) more = true;
    }
    return more;
  }

  async #send(step: Step): Promise<void> {
    await this.#ports.queue.send(step);
  }
}

/** The same step from where it stopped, if it did. */
function goOn<S extends Step>(step: S, cursor: string | undefined): S | undefined {
  return cursor === undefined ? undefined : { ...step, cursor };
}
