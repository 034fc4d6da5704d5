import type { D1Database, DurableObjectNamespace, Fetcher, Queue, R2Bucket } from "@cloudflare/workers-types";
import type { Settings } from "./config.ts";

/** What the runtime gives the Worker: bindings of `wrangler.toml`, and settings as text (`config.ts`). */
export interface Env extends Readonly<Partial<Record<keyof Settings, string>>> {
  /** Metadata. */
  readonly DB: D1Database;
  /** Bytes of blobs and manifests; used when `STORAGE=r2`. */
  readonly BLOBS?: R2Bucket;
  /** A folder on the self-host's disk, served by workerd; used when `STORAGE=filesystem`. */
  readonly DISK?: Fetcher;
  /** One Durable Object per resumable upload. */
  readonly UPLOAD_SESSIONS: DurableObjectNamespace;
  /** One Durable Object per kind of the resource API. */
  readonly WATCH_HUBS: DurableObjectNamespace;
  /** One Durable Object per account and per address that showed a wrong password. */
  readonly LOGIN_GUARDS: DurableObjectNamespace;
  /** One Durable Object per registry and credential that mirroring uses. */
  readonly REGISTRY_BUDGETS: DurableObjectNamespace;
  /** The one Durable Object that gathers what runs of mirroring report. */
  readonly EXECUTION_HUB: DurableObjectNamespace;
  /** Steps of mirroring. */
  readonly SYNC: Queue;
  /** Steps of garbage collection and clean-up. */
  readonly MAINTENANCE: Queue;
  /** The network by which a self-host calls other services (`selfhost/network.ts`); the runtime's own if absent. */
  readonly OUTBOUND_NETWORK?: Fetcher;
  /** Static pages. */
  readonly ASSETS?: Fetcher;
}
