import type { Sleep } from "../../mirror/index.ts";
import type { Clock, Log } from "../../platform/index.ts";
import type { ResourceClient } from "../../resources/index.ts";
import type { SyncTask } from "../kinds/sync-task.ts";
import type { WriterRights } from "../kinds/writer-rights.ts";
import type { DueStore, ExecutionStore, ItemStore, LogStore, MemoryStore, StoredExecution } from "../store/index.ts";
import type { CallLimits } from "./call-meter.ts";
import type { RunHub } from "./hub-client.ts";
import type { SyncQueue } from "./messages.ts";
import type { Registries } from "./registry-access.ts";

/** What the steps of runs work with. */
export interface SyncPorts {
  readonly executions: ExecutionStore;
  readonly due: DueStore;
  readonly items: ItemStore;
  readonly logs: LogStore;
  readonly memory: MemoryStore;
  /** Asked for when it is needed, not before: it may be made after this. */
  readonly client: () => ResourceClient;
  readonly registries: Registries;
  /** Whether the writer of a task may still do what it does. */
  readonly rights: Pick<WriterRights, "refusal">;
  readonly queue: SyncQueue;
  readonly hub: RunHub;
  /** Tells people of a run that ended, as its task wants. What goes wrong with that is not the run's. */
  readonly notify: (run: StoredExecution, task: SyncTask) => Promise<void>;
  readonly clock: Clock;
  readonly sleep: Sleep;
  /** A number from 0 to 1. */
  readonly random: () => number;
  readonly log: Log;
  /** How often running work looks whether it is to stop, in milliseconds; two seconds unless given. */
  readonly pollInterval?: number;
  /** How much one message may call; what the platform allows unless given. */
  readonly callLimits?: CallLimits;
  /** After how long a message hands what it does to another, in milliseconds; 8 minutes unless given. */
  readonly timeLimit?: number;
}

/** Queues give a message 15 minutes. @see Cloudflare Queues, limits */
const TIME_LIMIT = 8 * 60_000;

/** When a message that begins now hands over, in milliseconds since the Unix epoch. */
export function deadlineOf({ clock, timeLimit = TIME_LIMIT }: SyncPorts): number {
  return clock() + timeLimit;
}
