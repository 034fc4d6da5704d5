import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { newFolder, type Service, startByNpm } from "./service.ts";
import { below, type Row, valueRow } from "./table.ts";

/** What a start may take, in milliseconds, when nothing is to be built; and what an idle server may keep, in MiB. */
const START_LIMIT_MS = 2000;
const IDLE_LIMIT_MIB = 200;
/** How long a server gets to come to rest. */
const REST_MS = 5000;

/**
 * What a self-host costs before anybody asks it for anything: the time until it serves, and the resident memory of all its
 * processes, npm included.
 * @param peer a registry to compare with, as it is after its start
 */
export async function idle(peer: Service | undefined): Promise<Row[]> {
  if (process.platform !== "linux") return [];
  const folder = newFolder();
  // The first start makes the tables.
  await (await startByNpm(folder)).halt();
  const began = performance.now();
  const service = await startByNpm(folder);
  const startMs = performance.now() - began;
  try {
    await sleep(REST_MS);
    const baseline = peer === undefined ? "" : `docker-registry: ${Math.round(residentMib(peer.pid))} MiB`;
    return [
      valueRow("start, nothing to build", startMs, "ms", below(START_LIMIT_MS, "ms")),
      { ...valueRow("idle: all processes", residentMib(service.pid), "MiB", below(IDLE_LIMIT_MIB, "MiB")), baseline },
    ];
  } finally {
    await service.stop();
  }
}

/** Resident memory of a process and all that it started, in MiB. */
function residentMib(root: number): number {
  const processes = new Map<number, { readonly parent: number; readonly kib: number }>();
  for (const name of readdirSync("/proc").filter((entry) => /^[0-9]+$/.test(entry))) {
    const status = statusOf(name);
    const field = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
    processes.set(Number(name), { parent: field("PPid"), kib: field("VmRSS") });
  }
  const below = (pid: number): number =>
    [...processes].reduce(
      (sum, [child, { parent }]) => (parent === pid ? sum + below(child) : sum),
      processes.get(pid)?.kib ?? 0,
    );
  return below(root) / 1024;
}

function statusOf(process: string): string {
  try {
    return readFileSync(`/proc/${process}/status`, "latin1");
  } catch {
    return "";
  }
}
