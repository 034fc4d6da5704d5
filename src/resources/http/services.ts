import type { ReportFailure } from "../../http/index.ts";
import type { Audit, Gate } from "../../access/index.ts";
import type { Clock } from "../../platform/index.ts";
import type { WatchLimit } from "../watch/watch-limit.ts";
import type { Authorizer } from "../authorizer.ts";
import type { ResourceStep } from "../upkeep/resource-maintenance.ts";
import type { ResourceRegistry } from "../kinds/resource-registry.ts";

/** What the resource API serves from. */
export interface ApiServices {
  readonly gate: Gate;
  readonly audit: Pick<Audit, "record">;
  readonly registry: ResourceRegistry;
  /** The whole chain. */
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  /** Whether the server is about to stop, so that long answers should end. */
  readonly stopping: () => boolean;
  /** Puts off to the queue what is too long for a request. */
  readonly defer: (step: ResourceStep) => Promise<void>;
  /** Lets others have their turn, between pieces of long work that waits for nothing. */
  readonly rest: () => Promise<void>;
  readonly reportFailure: ReportFailure;
  readonly watches: WatchLimit;
}
