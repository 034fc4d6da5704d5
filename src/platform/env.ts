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
  /** Steps of garbage collection and clean-up. */
  readonly MAINTENANCE: Queue;
  /** Static pages. */
  readonly ASSETS?: Fetcher;
}
