import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { ImageFactory } from "../test/support/image-factory.ts";
import { startRegistry as startTestRegistry } from "../test/support/registries.ts";
import { copying, syncCommand } from "../test/sync/sync-command.ts";
import { type Service, startBaseline, startRegistry } from "./service.ts";
import { atMost, type Row } from "./table.ts";
import { exchange } from "./wire.ts";

/** What is copied: layers that are sent in parts. */
const LAYERS = 4;
const LAYER_BYTES = 128 * 1024 * 1024;
const GIGABYTE = 1_000_000_000;
/** CPU seconds that a gigabyte may cost a server. */
const MOST_SECONDS = 8;
/** Of `/proc`: in hundredths of a second. @see proc_pid_stat(5), sysconf(3) */
const TICKS = 100;
const POLL_MS = 50;
const TASK = "/apis/sync.entrepot.dev/v1/namespaces/default";
const REPOSITORY = "bench/large";

/**
 * What a copied gigabyte costs in CPU, from a distribution v3: by a SyncTask into this registry, and by the command into
 * another distribution. Beside each is what does nothing but pass the same bytes on, in the same engine.
 */
export async function syncCpu(): Promise<readonly Row[]> {
  if (process.platform !== "linux") return [];
  const source = await startTestRegistry("distribution");
  try {
    const digests = await largeImage(source.url);
    const [task, pipe] = [await byTask(source.url), await byPipe(source.url, digests)];
    const [command, script] = [await byCommand(source.url), await byNode(source.url, digests)];
    return [
      row("sync, CPU of a gigabyte: a SyncTask", task, pipe),
      row("sync, CPU of a gigabyte: the command", command, script),
    ];
  } finally {
    await source.stop();
  }
}

function row(name: string, ours: number, pipe: number): Row {
  const target = atMost(MOST_SECONDS);
  return {
    name,
    ours: secondsText(ours),
    baseline: `a bare pipe: ${secondsText(pipe)}`,
    ratio: (pipe / ours).toFixed(2),
    target: `${target.text} s`,
    mark: target.met(ours) ? "pass" : "below target",
  };
}

function secondsText(seconds: number): string {
  return `${seconds.toFixed(1)} s`;
}

/** Answers the digests of the layers. */
async function largeImage(url: string): Promise<readonly string[]> {
  const factory = new ImageFactory(url, REPOSITORY);
  const layers = [];
  for (let number = 0; number < LAYERS; number += 1)
    layers.push(await factory.largeLayer(`cpu ${number}`, LAYER_BYTES));
  await factory.image({ seed: "cpu", layers, tag: "v1" });
  return layers.map(({ digest }) => digest);
}

async function byTask(source: string): Promise<number> {
  const server = await startRegistry("filesystem");
  try {
    await post(server, "registries", "Registry", "source", { url: source, insecure: true, concurrency: 6 });
    const spec = { source: { registry: "source", repository: REPOSITORY }, targets: [{ registry: "local" }] };
    await post(server, "synctasks", "SyncTask", "copy", spec);
    return await costOf(
      () => groupSeconds(server.pid),
      async () => {
        const response = await fetch(`${server.url}${TASK}/synctasks/copy/run`, { method: "POST" });
        if (!response.ok) throw new Error(`the task is not run: ${response.status} ${await response.text()}`);
        await completed(server);
      },
    );
  } finally {
    await server.stop();
  }
}

async function post(server: Service, plural: string, kind: string, name: string, spec: object): Promise<void> {
  const body = JSON.stringify({ apiVersion: "sync.entrepot.dev/v1", kind, metadata: { name }, spec });
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${server.url}${TASK}/${plural}`, { method: "POST", headers, body });
  if (!response.ok) throw new Error(`${kind} ${name} is not made: ${response.status} ${await response.text()}`);
  await response.body?.cancel();
}

const taskSchema = z.object({ status: z.object({ lastExecution: z.object({ state: z.string() }) }) });

async function completed(server: Service): Promise<void> {
  for (;;) {
    await sleep(500);
    const response = await fetch(`${server.url}${TASK}/synctasks/copy`);
    const { state } = taskSchema.parse(await response.json()).status.lastExecution;
    if (state === "succeeded") return;
    if (!["pending", "planning", "running"].includes(state)) throw new Error(`the task ended as ${state}`);
  }
}

async function byPipe(source: string, digests: readonly string[]): Promise<number> {
  const baseline = await startBaseline();
  const pipe = async (): Promise<void> => {
    await Promise.all(
      digests.map(async (digest, index) => {
        const from = encodeURIComponent(`${source}/v2/${REPOSITORY}/blobs/${digest}`);
        await exchange({ method: "GET", url: `${baseline.url}/disk-copy/copy-${index}?from=${from}` });
      }),
    );
  };
  try {
    return await costOf(() => groupSeconds(baseline.pid), pipe);
  } finally {
    await baseline.stop();
  }
}

/** What the copy costs besides what the command costs anyway: less what it used when all is there. */
async function byCommand(source: string): Promise<number> {
  const command = syncCommand();
  const target = await startTestRegistry("distribution");
  try {
    const run = async (): Promise<number> => {
      const child = command.start(copying(source, target.url, REPOSITORY));
      child.stdout?.resume();
      child.stderr?.resume();
      return lastSeconds(child);
    };
    const copied = await run();
    return (copied - (await run())) / copiedGigabytes();
  } finally {
    await target.stop();
    command.remove();
  }
}

/** The same bytes from `fetch` to `fetch` by a script of Node, less what a script costs that does nothing. */
async function byNode(source: string, digests: readonly string[]): Promise<number> {
  const target = await startTestRegistry("distribution");
  try {
    const run = async (wanted: readonly string[]): Promise<number> => {
      const script = path.join(import.meta.dirname, "node-pipe.js");
      const args = [script, `${source}/v2/${REPOSITORY}`, `${target.url}/v2/${REPOSITORY}`, ...wanted];
      return lastSeconds(spawn(process.execPath, args, { stdio: "inherit" }));
    };
    const copied = await run(digests);
    return (copied - (await run([]))) / copiedGigabytes();
  } finally {
    await target.stop();
  }
}

/** What a process used until shortly before its end. */
async function lastSeconds(child: ChildProcess): Promise<number> {
  const ended = once(child, "exit");
  let used = 0;
  while (child.exitCode === null) {
    used = Math.max(used, processSeconds(String(child.pid)));
    await Promise.race([sleep(POLL_MS), ended]);
  }
  if (child.exitCode !== 0) throw new Error(`the command ended with ${child.exitCode}`);
  return used;
}

/** CPU seconds of a gigabyte, without what was used before. */
async function costOf(used: () => number, work: () => Promise<void>): Promise<number> {
  const before = used();
  await work();
  return (used() - before) / copiedGigabytes();
}

function copiedGigabytes(): number {
  return (LAYERS * LAYER_BYTES) / GIGABYTE;
}

/** CPU seconds of all processes of a group. */
function groupSeconds(group: number): number {
  const processes = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && statOf(name)?.group === group);
  return processes.reduce((total, name) => total + processSeconds(name), 0);
}

function processSeconds(process: string): number {
  return statOf(process)?.seconds ?? 0;
}

/** `undefined` if the process has ended meanwhile. @see proc_pid_stat(5) */
function statOf(process: string): { readonly group: number; readonly seconds: number } | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${process}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The second field is a name in brackets, which may have spaces.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { group: Number(fields[2]), seconds: (Number(fields[11]) + Number(fields[12])) / TICKS };
}
