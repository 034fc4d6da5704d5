import { Retries } from "../../src/platform/index.ts";
import type { D1Migration } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import type { Env, S3Settings } from "../../src/platform/index.ts";

/** What `vitest.config.ts` binds. */
export interface TestEnv extends Env {
  readonly BLOBS: R2Bucket;
  readonly DISK: Fetcher;
  /** Reaches loopback. */
  readonly NETWORK: Fetcher;
  readonly TEST_S3: S3Settings;
  readonly TEST_MIGRATIONS: D1Migration[];
}

export const bindings = env as unknown as TestEnv;

/** Sends a request to the Worker as a client would. `path` begins with a slash. */
export function request(path: string, init?: RequestInit): Promise<Response> {
  const worker = (exports as unknown as { readonly default: Fetcher }).default;
  return worker.fetch(`http://localhost${path}`, init);
}

/** Tries again at once. */
export const retries = new Retries({ clock: Date.now, wait: async () => {}, random: Math.random });
