import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type Payload, payload } from "./payload.ts";
import { pushBlob } from "./registry-client.ts";
import { type Service, startBaseline, startRegistry } from "./service.ts";
import { below, type Row, valueRow } from "./table.ts";
import { exchange } from "./wire.ts";

/** Pushes at the same time, and MiB of each. */
const PUSHES = 8;
const BLOCKS = 190;
/** What one isolate may use at Cloudflare. */
const LIMIT_MIB = 128;
/** How long a runtime gets to come to rest before it is called idle. */
const REST_MS = 1000;

type Push = (service: Service, number: number, body: Payload) => Promise<unknown>;

const toRegistry: Push = (service, number, body) => pushBlob(service.url, `bench/memory-${number}`, body, "chunked");
const toBucket: Push = (service, number, body) =>
  exchange({ method: "PUT", url: `${service.url}/r2-multipart/${number}`, body, coding: "chunked" });

/**
 * By how much the runtime grows under parallel pushes. The simulated bucket lives in the same process: the bare
 * Worker's growth tells how much of ours is the simulator's.
 */
export async function memory(): Promise<Row[]> {
  if (process.platform !== "linux") return [];
  const filesystem = await growth(() => startRegistry("filesystem"), toRegistry);
  const r2 = await growth(() => startRegistry("r2"), toRegistry);
  const bare = await growth(startBaseline, toBucket);
  const name = `memory of ${PUSHES} pushes of 200 MB at once`;
  return [
    valueRow(`filesystem: ${name}`, filesystem, "MiB", below(LIMIT_MIB, "MiB")),
    {
      ...valueRow(`r2: ${name}`, r2, "MiB", below(LIMIT_MIB, "MiB")),
      baseline: `R2 multipart: ${Math.round(bare)} MiB`,
      ratio: (bare / r2).toFixed(2),
    },
  ];
}

/** Peak under load minus the rest before it, in MiB. */
async function growth(start: () => Promise<Service>, push: Push): Promise<number> {
  const service = await start();
  try {
    await push(service, 0, payload(1));
    await sleep(REST_MS);
    const runtime = runtimeOf(service.pid);
    const idle = resident(runtime, "VmRSS");
    resetPeak(runtime);
    const bodies = Array.from({ length: PUSHES }, () => payload(BLOCKS));
    await Promise.all(bodies.map((body, number) => push(service, number, body)));
    return (resident(runtime, "VmHWM") - idle) / 1024;
  } finally {
    await service.stop();
  }
}

/** The workerd that a server started. */
function runtimeOf(server: number): number {
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const [, command = "", parent = ""] = /\((.*)\) \S (\d+)/.exec(readProcess(pid, "stat")) ?? [];
    if (Number(parent) === server && command.startsWith("workerd")) return pid;
  }
  throw new Error(`process ${server} has no workerd`);
}

/** KiB. */
function resident(pid: number, field: "VmRSS" | "VmHWM"): number {
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readProcess(pid, "status"))?.[1]);
}

/** Makes the kernel forget the highest RSS so far; where it cannot, the peak of the start counts as well. */
function resetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, "5");
  } catch {
    // Not every kernel has it.
  }
}

function readProcess(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return "";
  }
}
