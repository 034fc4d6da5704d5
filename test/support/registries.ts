import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startServer } from "./server.ts";
import { toolEnv } from "./tool-paths.ts";

/** A registry for one test file, on a free port of loopback and with a folder of its own. */
export interface TestRegistry {
  readonly name: string;
  /** Without a slash at the end. */
  readonly url: string;
  /** `127.0.0.1:<port>`. */
  readonly host: string;
  stop(): Promise<void>;
}

/** Which registry to start: Debian's docker-registry (v2), distribution v3, or this project's own. */
export type RegistryKind = "docker-registry" | "distribution" | "entrepot";

const START_MS = 120_000;

/** @throws if it does not answer within half a minute */
export async function startRegistry(kind: RegistryKind): Promise<TestRegistry> {
  if (kind === "docker-registry") return startDistribution(kind, "docker-registry", {});
  // Every platform must be there before its index, as docker-registry and this project have it.
  if (kind === "distribution") return startDistribution(kind, "registry", {});
  const server = await startServer();
  return {
    name: kind,
    url: server.url,
    host: server.host,
    stop: async () => {
      await server.stop();
    },
  };
}

/** A distribution v3 that takes an index without the manifests that it names. */
export async function startSparseRegistry(): Promise<TestRegistry> {
  return startDistribution("distribution, sparse", "registry", {
    validation: { manifests: { indexes: { platforms: "none" } } },
  });
}

async function startDistribution(name: string, program: string, more: object): Promise<TestRegistry> {
  const folder = mkdtempSync(path.join(tmpdir(), "entrepot-registry-"));
  mkdirSync(path.join(folder, "data"));
  const port = await freePort();
  const config = path.join(folder, "config.json");
  writeFileSync(config, JSON.stringify({ ...distributionConfig(path.join(folder, "data"), port), ...more }));
  const child = spawn(program, ["serve", config], {
    // Version 3 would send its traces somewhere.
    env: { ...toolEnv(), OTEL_TRACES_EXPORTER: "none" },
    stdio: "ignore",
  });
  const url = `http://127.0.0.1:${port}`;
  const exited = once(child, "exit");
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await answering(url, child);
  } catch (error) {
    await stop();
    throw error;
  }
  return { name, url, host: `127.0.0.1:${port}`, stop };
}

/** JSON is YAML. */
function distributionConfig(folder: string, port: number): object {
  return {
    version: "0.1",
    log: { level: "error", accesslog: { disabled: true } },
    storage: {
      cache: { blobdescriptor: "inmemory" },
      filesystem: { rootdirectory: folder, maxthreads: 100 },
      delete: { enabled: true },
    },
    http: { addr: `127.0.0.1:${port}` },
  };
}

async function answering(url: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_MS;
  for (;;) {
    const ok = await fetch(`${url}/v2/`).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) return;
    if (Date.now() > deadline || child.exitCode !== null) throw new Error(`no registry came to answer at ${url}`);
    await sleep(50);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}
