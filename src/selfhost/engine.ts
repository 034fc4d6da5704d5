import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, serializeConfig } from "miniflare";
import type { unstable_getMiniflareWorkerOptions } from "wrangler";
import { BUNDLE, COMPACT_BUNDLE } from "./build.ts";
import { type ConfigTree, trimmed } from "./engine-services.ts";
import type { EngineRequest, RuntimeOptions } from "./runtime.ts";
import { hasMigrated, migrate, noteMigrated } from "./migrate.ts";
import { outboundNetwork } from "./network.ts";
import { ROOT, SELF_HOST, WRANGLER_ENV } from "./paths.ts";

/** The name of the Worker, of which the names of its sockets are made. */
const NAME = "entrepot";
const PAGES = "entrepot-pages";

/** A free port of loopback. */
const UNKNOWN_ADDRESS = { host: "127.0.0.1", port: 0 } as const;

/**
 * Applies the migrations that are missing, and writes down what workerd is to be started with. This file alone knows
 * Miniflare and wrangler's unstable functions, and runs in a process that ends with it: the two would keep 200 MB of a
 * server that only needs workerd. The Worker listens on a socket of its own: Miniflare's front door costs three quarters
 * of the throughput.
 */
async function assemble({ options, config, temporary }: EngineRequest): Promise<void> {
  Object.assign(process.env, WRANGLER_ENV);
  mkdirSync(contentFolder(options.data), { recursive: true });
  const configured = await configuredWorker();
  // Nobody may get to the Worker before its tables are there.
  if (!hasMigrated(options.data))
    await migrateData(engineOptions({ ...options, ...UNKNOWN_ADDRESS }, configured), options.data);
  process.env["TMPDIR"] = temporary;
  process.env["MINIFLARE_WORKERD_PATH"] = path.join(SELF_HOST, "no-workerd.sh");
  const whole = path.join(temporary, "whole.json");
  process.env["MINIFLARE_WORKERD_CONFIG_DEBUG"] = whole;
  // What is written down is not run: that it never listens is no failure.
  const miniflare = new Miniflare(engineOptions(options, configured));
  await miniflare.ready.catch(() => undefined);
  if (statSync(whole, { throwIfNoEntry: false }) === undefined) await miniflare.ready;
  // Its folders are workerd's to start with: Miniflare would remove them now.
  process.removeAllListeners("exit");
  const trim = { worker: NAME, pages: PAGES, cache: options.settings["EDGE_CACHE"] !== "false" };
  writeFileSync(config, serializeConfig(trimmed(JSON.parse(readFileSync(whole, "utf8")) as ConfigTree, trim)));
}

async function migrateData(options: ReturnType<typeof engineOptions>, data: string): Promise<void> {
  const miniflare = new Miniflare(options);
  try {
    await migrate(await miniflare.getD1Database("DB", NAME));
    noteMigrated(data);
  } finally {
    await miniflare.dispose();
  }
}

function engineOptions(options: RuntimeOptions, { worker, pages }: Awaited<ReturnType<typeof configuredWorker>>) {
  return convertV4MiniflareOptions({
    ...runtimeDefaults(options.data),
    workers: [
      {
        ...worker,
        // A simulated bucket that nothing is kept in would only take memory.
        ...(options.settings["STORAGE"] === "r2" ? {} : { r2Buckets: {} }),
        name: NAME,
        modules: [{ type: "ESModule", path: BUNDLE, contents: readFileSync(COMPACT_BUNDLE, "utf8") }],
        bindings: { ...options.settings },
        serviceBindings: {
          DISK: { disk: { path: contentFolder(options.data), writable: true } },
          ASSETS: PAGES,
          OUTBOUND_NETWORK: outboundNetwork(options.settings),
        },
        unsafeDirectSockets: [{ host: options.host, port: options.port }],
      },
      {
        name: PAGES,
        compatibilityDate: worker.compatibilityDate,
        modules: [{ type: "ESModule", path: "pages.js", contents: PAGES_WORKER }],
        assets: { directory: pages },
      },
    ],
  });
}

function contentFolder(data: string): string {
  return path.join(data, "content");
}

/** How every runtime of this project is started: it calls nobody, says little, and keeps its state in the folder `data`. */
export function runtimeDefaults(data: string) {
  return {
    host: "127.0.0.1",
    port: 0,
    cf: false,
    log: new Log(LogLevel.WARN),
    telemetry: { enabled: false },
    resourcePersistencePath: path.join(data, "state"),
  } as const;
}

/** What this file itself reads of the options that wrangler makes. */
type WorkerOptions = ReturnType<typeof unstable_getMiniflareWorkerOptions>["workerOptions"] & {
  readonly rootPath: string;
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly assets: { readonly directory: string };
};

/** What `wrangler.toml` says of the Worker, as Miniflare takes it, and the folder of its pages. */
async function configuredWorker() {
  const { assets, ...worker } = await workerOptions();
  // A self-host may reach its own network. Its queues deliver one message after the other: those that take long are done
  // after they were taken.
  const compatibilityFlags = [
    ...worker.compatibilityFlags.filter((flag) => flag !== "global_fetch_strictly_public"),
    "queue_consumer_no_wait_for_wait_until",
  ];
  return { worker: { ...worker, compatibilityFlags }, pages: path.resolve(ROOT, assets.directory) };
}

const CONFIGURATION = path.join(ROOT, "wrangler.toml");

/** What wrangler made of `wrangler.toml`: kept beside the bundle, since loading wrangler takes longer than the rest of a start. */
const KEPT_OPTIONS = path.join(path.dirname(BUNDLE), "worker-options.json");

async function workerOptions(): Promise<WorkerOptions> {
  const kept = statSync(KEPT_OPTIONS, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if ([CONFIGURATION, BUNDLE].every((source) => statSync(source).mtimeMs < kept)) {
    const known = JSON.parse(readFileSync(KEPT_OPTIONS, "utf8")) as WorkerOptions;
    // The project's folder may have been moved.
    if (known.rootPath === ROOT) return known;
  }
  const { unstable_getMiniflareWorkerOptions: optionsOf } = await import("wrangler");
  const options = optionsOf(CONFIGURATION).workerOptions as WorkerOptions;
  writeFileSync(KEPT_OPTIONS, JSON.stringify(options));
  return options;
}

/**
 * Pages are a worker of their own, bound to the registry's: in front of it they would cost it another hop. Behind the
 * pages there is nothing.
 */
const PAGES_WORKER = `export default { fetch() { return new Response("not found\\n", { status: 404 }); } };`;

if (import.meta.main) {
  await assemble(JSON.parse(await text(process.stdin)) as EngineRequest);
  process.exit(0);
}
