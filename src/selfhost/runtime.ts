import type { ChildProcess } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { BUNDLE } from "./build.ts";
import { hasMigrated, migrate, noteMigrated } from "./migrate.ts";
import { ROOT, workerdPath, WRANGLER_ENV } from "./paths.ts";

/** What the runtime is started with. */
export interface RuntimeOptions {
  readonly host: string;
  readonly port: number;
  readonly data: string;
  readonly settings: Readonly<Record<string, string>>;
}

/** The running Worker. */
export interface Runtime {
  /** Where the Worker itself listens. */
  readonly port: number;
  /** Fires the cron trigger for a minute. */
  tick(scheduledTime: Date): Promise<void>;
  /** Takes no new request, finishes the running ones within `patience` milliseconds, and ends. */
  stop(patience: number): Promise<void>;
}

const NAME = "entrepot";
const PAGES = "entrepot-pages";

/** A free port of loopback. */
const UNKNOWN_ADDRESS = { host: "127.0.0.1", port: 0 } as const;

/**
 * Starts the Worker's bundle on workerd by way of Miniflare. This file alone knows Miniflare and wrangler's unstable
 * functions. The Worker listens on a socket of its own: Miniflare's front door costs three quarters of the throughput.
 */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  Object.assign(process.env, WRANGLER_ENV, shield());
  const content = path.join(options.data, "content");
  mkdirSync(content, { recursive: true });
  const configured = configuredWorker();
  const processes = watchProcesses();
  const listeningOn = ({ host, port }: Pick<RuntimeOptions, "host" | "port">) =>
    convertV4MiniflareOptions({
      ...runtimeDefaults(options.data),
      workers: [
        {
          ...configured.worker,
          name: NAME,
          modules: [{ type: "ESModule", path: BUNDLE, contents: readFileSync(BUNDLE, "utf8") }],
          bindings: { ...options.settings },
          serviceBindings: { DISK: { disk: { path: content, writable: true } }, ASSETS: PAGES },
          unsafeDirectSockets: [{ host, port }],
        },
        {
          name: PAGES,
          compatibilityDate: configured.worker.compatibilityDate,
          modules: [{ type: "ESModule", path: "pages.js", contents: PAGES_WORKER }],
          assets: { directory: configured.pages },
        },
      ],
    });
  // Nobody may get to the Worker before its tables are there; an address that is not told yet nobody gets to.
  const early = options.port === 0 || hasMigrated(options.data);
  const miniflare = new Miniflare(listeningOn(early ? options : UNKNOWN_ADDRESS));
  await miniflare.ready;
  await migrate(await miniflare.getD1Database("DB", NAME));
  noteMigrated(options.data);
  if (!early) await miniflare.setOptions(listeningOn(options));
  await (await miniflare.getWorker(NAME)).scheduled({ cron: "@start", scheduledTime: new Date() });
  const { port } = await miniflare.unsafeGetDirectURL(NAME);
  return {
    port: Number(port),
    async tick(scheduledTime) {
      await (await miniflare.getWorker(NAME)).scheduled({ cron: "* * * * *", scheduledTime });
    },
    async stop(patience) {
      await (await miniflare.getWorker(NAME)).scheduled({ cron: "@stop", scheduledTime: new Date() });
      const workerd = processes.find((child) => isRunning(child) && child.spawnfile.includes("workerd"));
      let disposed: Promise<void> | undefined;
      const dispose = (): void => {
        disposed ??= miniflare.dispose();
      };
      if (workerd !== undefined) await drain(workerd, patience, dispose);
      dispose();
      await disposed;
    },
  };
}

/** How every runtime of this project is started: it calls nobody, says little, and keeps its state in the folder `data`. */
export function runtimeDefaults(data: string) {
  return {
    // Miniflare's own front door, which nobody uses: Workers listen on sockets of their own.
    host: "127.0.0.1",
    port: 0,
    cf: false,
    log: new Log(LogLevel.WARN),
    telemetry: { enabled: false },
    resourcePersistencePath: path.join(data, "state"),
  } as const;
}

/** What `wrangler.toml` says of the Worker, as Miniflare takes it, and the folder of its pages. */
function configuredWorker() {
  const { workerOptions } = unstable_getMiniflareWorkerOptions(path.join(ROOT, "wrangler.toml"));
  const { assets, ...worker } = workerOptions as typeof workerOptions & {
    readonly assets: { readonly directory: string };
    readonly compatibilityDate: string;
    readonly compatibilityFlags: readonly string[];
  };
  // A self-host may reach its own network. Its queues deliver one message after the other: those that take long are done
  // after they were taken.
  const compatibilityFlags = [
    ...worker.compatibilityFlags.filter((flag) => flag !== "global_fetch_strictly_public"),
    "queue_consumer_no_wait_for_wait_until",
  ];
  return { worker: { ...worker, compatibilityFlags }, pages: path.resolve(ROOT, assets.directory) };
}

/**
 * Pages are a worker of their own, bound to the registry's: in front of it they would cost it another hop. Behind the
 * pages there is nothing.
 */
const PAGES_WORKER = `export default { fetch() { return new Response("not found\\n", { status: 404 }); } };`;

/** Collects the processes started from now on: Miniflare keeps workerd's to itself. */
function watchProcesses(): ChildProcess[] {
  const processes: ChildProcess[] = [];
  subscribe("child_process", (message) => {
    processes.push((message as { readonly process: ChildProcess }).process);
  });
  return processes;
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

/**
 * Asks workerd to end as soon as its requests have. `ended` is called in the very turn in which it does, before
 * Miniflare takes the end for a crash and starts another.
 */
async function drain(workerd: ChildProcess, patience: number, ended: () => void): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, patience);
    workerd.prependOnceListener("exit", () => {
      clearTimeout(timer);
      ended();
      resolve();
    });
    workerd.kill("SIGTERM");
  });
}

/**
 * A terminal sends Ctrl-C to every process in the foreground, and workerd would drop its requests at once. Started
 * through this script it does not see the signal; `stop` tells it when to end.
 */
function shield(): { readonly MINIFLARE_WORKERD_PATH?: string; readonly WORKERD?: string } {
  if (process.platform === "win32") return {};
  return { MINIFLARE_WORKERD_PATH: path.join(import.meta.dirname, "workerd.sh"), WORKERD: workerdPath() };
}
