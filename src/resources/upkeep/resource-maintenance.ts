import * as z from "zod";
import type { Clock, Log } from "../../platform/index.ts";
import type { DefinitionCleaner } from "../definitions/definition-cleaner.ts";
import { type CollectionPorts, collectionStepSchema, goOnDeleting } from "../storage/delete-collection.ts";
import type { DependentCollector } from "./dependent-collector.ts";
import type { KindKey } from "../client.ts";
import type { PresentKind, UpkeepStore } from "./upkeep-store.ts";

/** How long a watch may resume from a change, in milliseconds. */
const WATCH_WINDOW_MS = 60 * 60 * 1000;

/** Versions of an object that are kept as its history. */
const HISTORY_VERSIONS = 20;

/** Changes whose objects one step looks at: up to some twenty rows each. */
const STEP_CHANGES = 500;

/** Objects that one step lets expire at most: each is read and written anew, as what was deleted. */
const EXPIRED_ROWS = 1000;

const objectKey = z.object({ group: z.string(), plural: z.string(), namespace: z.string(), name: z.string() });

/** A step of upkeep: the body of a message in the maintenance queue (docs/schema.md). */
export const resourceStepSchema = z.discriminatedUnion("type", [
  /** Dependents of an owner that is gone. */
  z.object({ type: z.literal("owner-gone"), uid: z.string(), after: z.string().optional() }),
  /** An owner that waits for its dependents. */
  z.object({ type: z.literal("owner-marked"), key: objectKey, after: z.string().optional() }),
  /** Objects of a definition that is going. */
  z.object({
    type: z.literal("definition-gone"),
    name: z.string(),
    after: z.object({ namespace: z.string(), name: z.string() }).optional(),
  }),
  /** The rest of a collection that is being deleted. */
  collectionStepSchema,
  /** What waits for one of the above that was lost. */
  z.object({ type: z.literal("sweep-dependents") }),
  /** Changes that nobody can resume from any more. */
  z.object({ type: z.literal("compact-changes") }),
  /** Objects of kinds that are kept for a while only. */
  z.object({ type: z.literal("expire-objects") }),
]);

export type ResourceStep = z.infer<typeof resourceStepSchema>;

/** What upkeep works with. */
export interface ResourceMaintenancePorts {
  readonly store: UpkeepStore;
  /** Puts a step off to the queue. */
  readonly enqueue: (step: ResourceStep, delay: number) => Promise<void>;
  readonly dependents: DependentCollector;
  readonly cleaner: DefinitionCleaner;
  readonly collections: CollectionPorts;
  /** Kinds of which only the present is kept. */
  readonly present: readonly PresentKind[];
  /** Tells watchers of a kind that something was written, at a version. */
  readonly changed: (kind: KindKey, rv: number) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** The upkeep of stored objects. Every step may be repeated. */
export class ResourceMaintenance {
  readonly #ports: ResourceMaintenancePorts;

  constructor(ports: ResourceMaintenancePorts) {
    this.#ports = ports;
  }

  /** Does a step, and resolves to the next one if there is more to do. */
  async run(step: ResourceStep): Promise<ResourceStep | undefined> {
    const { store, dependents, cleaner, enqueue, clock, log } = this.#ports;
    switch (step.type) {
      case "owner-gone":
      case "owner-marked":
        return dependents.run(step);
      case "definition-gone":
        await cleaner.run(step);
        return undefined;
      case "delete-collection":
        return goOnDeleting(this.#ports.collections, step);
      case "sweep-dependents":
        for (const found of await dependents.sweep()) await enqueue(found, 0);
        await cleaner.sweep();
        return undefined;
      case "compact-changes": {
        const { forgotten, more } = await store.compact(clock() - WATCH_WINDOW_MS, HISTORY_VERSIONS, STEP_CHANGES);
        if (forgotten > 0) log.info("resources.compacted", { forgotten });
        return more ? step : undefined;
      }
      case "expire-objects":
        return (await this.#expire()) ? step : undefined;
    }
  }

  /** Whether there is more of it. */
  async #expire(): Promise<boolean> {
    const { store, present, changed, clock, log } = this.#ports;
    let more = false;
    for (const kind of present) {
      const now = clock();
      const before = now - (kind.lifetime ?? WATCH_WINDOW_MS);
      const { rows, rv } = await store.expire(kind, { before, now, limit: EXPIRED_ROWS });
      if (rv !== undefined) changed(kind, rv);
      if (rows > 0) log.info("resources.expired", { group: kind.group, resource: kind.plural, rows });
      more ||= rows === EXPIRED_ROWS;
    }
    return more;
  }
}
