import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { ROOT } from "../src/selfhost/paths.ts";
import { TOOLS_BIN } from "../test/support/tool-paths.ts";

/** A server under measurement, with a folder of its own. */
export interface Service {
  /** Without a slash at the end. */
  readonly url: string;
  readonly pid: number;
  /** Ends it at once, with its children; the folder stays. */
  halt(): Promise<void>;
  /** Ends it at once and removes its folder. */
  stop(): Promise<void>;
}

const READY = /^Ready on (https?:\/\/\S+)$/;
const START_MS = 60_000;

/** A runtime that was just killed may still be writing. */
const REMOVE = { recursive: true, force: true, maxRetries: 5 } as const;

const running = new Set<Service>();
let scratch: string | undefined;
let folders = 0;

/** A new folder below the run's temporary one. */
export function newFolder(): string {
  scratch ??= mkdtempSync(path.join(tmpdir(), "entrepot-bench-"));
  folders += 1;
  const folder = path.join(scratch, String(folders));
  mkdirSync(folder);
  return folder;
}

/** Ends what still runs and removes every folder. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((service) => service.stop()));
  if (scratch !== undefined) rmSync(scratch, REMOVE);
}

/** The registry, as `npm start` runs it; in a folder that is there, with what is in it, if one is given. */
export async function startRegistry(
  storage: "filesystem" | "r2",
  {
    folder = newFolder(),
    env = {},
    args = [],
  }: {
    readonly folder?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly args?: readonly string[];
  } = {},
): Promise<Service> {
  const script = path.join(ROOT, "src/selfhost/main.ts");
  return startNode([script, "--host", "127.0.0.1", "--port", "0", "--data", folder, ...args], folder, {
    STORAGE: storage,
    ...env,
  });
}

/** The bare Worker of `baseline-worker.js`. @param inspector port of DevTools; none, if there is none */
export async function startBaseline(inspector?: number): Promise<Service> {
  const folder = newFolder();
  const args = inspector === undefined ? [folder] : [folder, String(inspector)];
  return startNode([path.join(import.meta.dirname, "baseline.ts"), ...args], folder, {});
}

/** A script that prints `Ready on <url>`, run by this Node. `folder` is removed when it is stopped. */
export async function startNode(
  args: readonly string[],
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<Service> {
  return startProgram(process.execPath, args, folder, env);
}

/** The registry, started by `npm start` itself. */
export async function startByNpm(folder: string): Promise<Service> {
  return startProgram("npm", ["start", "--", "--port", "0", "--data", folder], folder, {});
}

async function startProgram(
  program: string,
  args: readonly string[],
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<Service> {
  // A process group of its own, so that ending it reaches the runtime as well.
  const child = spawn(program, args, {
    cwd: ROOT,
    // Miniflare's own temporary folder goes away with the rest.
    env: { ...process.env, TMPDIR: folder, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const service = register(child, folder);
  return service(await announced(child));
}

/** Files in PEM. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
}

/** A registry to compare with. */
export interface Peer {
  readonly name: string;
  readonly service: Service;
}

/** How one is started: the program, and what installs it. */
const PEERS = [
  { name: "distribution v3", program: path.join(TOOLS_BIN, "registry"), install: installDistribution },
  { name: "docker-registry", program: "docker-registry", install: installDockerRegistry },
] as const;

export type PeerName = (typeof PEERS)[number]["name"];

export const PEER_NAMES: readonly PeerName[] = PEERS.map(({ name }) => name);

/** Those that can be had, each on a filesystem of its own. */
export async function startPeers(): Promise<Peer[]> {
  const peers: Peer[] = [];
  for (const name of PEER_NAMES) {
    const service = await startPeer(name);
    if (service !== undefined) peers.push({ name, service });
  }
  return peers;
}

/** One of them on a filesystem; installed if missing. `undefined` if that cannot be done. */
export async function startPeer(
  name: PeerName,
  { folder = newFolder(), tls }: { readonly folder?: string; readonly tls?: TlsFiles } = {},
): Promise<Service | undefined> {
  const peer = PEERS.find((each) => each.name === name);
  if (peer === undefined || !isThere(peer)) return undefined;
  const port = await freePort();
  const config = path.join(folder, "config.json");
  writeFileSync(config, JSON.stringify(peerConfig(path.join(folder, "data"), port, tls)));
  const child = spawn(peer.program, ["serve", config], {
    stdio: "ignore",
    detached: true,
    // Traces would go to a collector that is not there.
    env: { ...process.env, OTEL_TRACES_EXPORTER: "none" },
  });
  const service = register(child, folder)(`${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`);
  const deadline = Date.now() + START_MS;
  while (!(await listens(port))) {
    if (Date.now() > deadline || child.exitCode !== null) throw new Error(`${name} did not start`);
    await sleep(50);
  }
  return service;
}

/** Debian's own configuration, but for the address, the folder, and lines per request. JSON is YAML. */
function peerConfig(folder: string, port: number, tls: TlsFiles | undefined): unknown {
  return {
    version: "0.1",
    log: { level: "error", accesslog: { disabled: true } },
    storage: {
      cache: { blobdescriptor: "inmemory" },
      filesystem: { rootdirectory: folder },
      delete: { enabled: true },
    },
    http: { addr: `127.0.0.1:${port}`, ...(tls === undefined ? {} : { tls }) },
  };
}

function isThere({ program, install }: (typeof PEERS)[number]): boolean {
  const works = (): boolean => spawnSync(program, ["--version"]).status === 0;
  if (works()) return true;
  install();
  return works();
}

function installDistribution(): void {
  console.log("distribution v3 is missing: node test/clients/tools.ts");
  spawnSync(process.execPath, [path.join(ROOT, "test/clients/tools.ts")], { stdio: "inherit" });
}

function installDockerRegistry(): void {
  console.log("docker-registry is missing: apt-get install -y docker-registry");
  spawnSync("apt-get", ["install", "-y", "docker-registry"], { stdio: "inherit" });
}

function register(child: ChildProcess, folder: string): (url: string) => Service {
  const exited = once(child, "exit");
  const halt = async (): Promise<void> => {
    try {
      process.kill(-(child.pid ?? 0), "SIGKILL");
    } catch {
      // It ended by itself.
    }
    await exited;
  };
  const service = {
    url: "",
    pid: child.pid ?? 0,
    halt,
    async stop() {
      running.delete(service);
      await halt();
      rmSync(folder, REMOVE);
    },
  };
  running.add(service);
  return (url) => Object.assign(service, { url });
}

async function announced(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const lines: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        lines.push(line);
        const url = READY.exec(line)?.[1];
        if (url !== undefined) resolve(url);
      });
    }
    child.once("exit", () => reject(new Error(`ended before it was ready:\n${lines.join("\n")}`)));
  });
}

/** A port of loopback that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  return once(socket, "connect")
    .then(
      () => true,
      () => false,
    )
    .finally(() => socket.destroy());
}
