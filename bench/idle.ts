import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { newFolder, type Peer, startByNpm } from "./service.ts";
import { below, renderTable, type Row, valueRow } from "./table.ts";

/** What a start may take, in milliseconds, when nothing is to be built; and what an idle server may keep, in MiB. */
const START_LIMIT_MS = 2000;
const IDLE_LIMIT_MIB = 200;
/** How long a server gets to come to rest. */
const REST_MS = 5000;

/**
 * What a self-host costs before anybody asks it for anything: the time until it serves, and the resident memory of all its
 * processes, npm included.
 * @param peers registries to compare with, as they are after their start
 */
export async function idle(peers: readonly Peer[]): Promise<Row[]> {
  if (process.platform !== "linux") return [];
  const folder = newFolder();
  // The first start makes the tables.
  await (await startByNpm(folder)).halt();
  const began = performance.now();
  const service = await startByNpm(folder);
  const startMs = performance.now() - began;
  try {
    await sleep(REST_MS);
    const processes = memoryOf(service.pid);
    console.log(renderTable(["process", "resident", "its share"], processes.map(cells)));
    const resident = totalOf(processes, "resident");
    const baseline = peers
      .map(({ name, service: { pid } }) => `${name}: ${Math.round(totalOf(memoryOf(pid), "resident"))} MiB`)
      .join(", ");
    return [
      valueRow("start, nothing to build", startMs, "ms", below(START_LIMIT_MS, "ms")),
      { ...valueRow("idle: all processes", resident, "MiB", below(IDLE_LIMIT_MIB, "MiB")), baseline },
      valueRow("idle: shared pages counted once", totalOf(processes, "share"), "MiB", below(IDLE_LIMIT_MIB, "MiB")),
    ];
  } finally {
    await service.stop();
  }
}

/** What a process keeps in memory, in MiB. */
interface ProcessMemory {
  readonly command: string;
  /** What it sees of pages in memory (RSS). */
  readonly resident: number;
  /** The same with each page divided by how many processes see it (PSS). */
  readonly share: number;
}

/** The memory of a process and of all that it started. */
function memoryOf(root: number): ProcessMemory[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc").filter((entry) => /^[0-9]+$/.test(entry))) {
    const parent = field(name, "status", "PPid");
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const from = (pid: number): ProcessMemory[] => [
    {
      command: read(String(pid), "comm").trim(),
      resident: field(String(pid), "status", "VmRSS") / 1024,
      share: field(String(pid), "smaps_rollup", "Pss") / 1024,
    },
    ...(children.get(pid) ?? []).flatMap(from),
  ];
  return from(root);
}

function totalOf(processes: readonly ProcessMemory[], kind: "resident" | "share"): number {
  return processes.reduce((sum, each) => sum + each[kind], 0);
}

function cells({ command, resident, share }: ProcessMemory): string[] {
  return [command, `${Math.round(resident)} MiB`, `${Math.round(share)} MiB`];
}

/** A number in a file of `/proc`; 0 if it is not there. @see proc(5) */
function field(process: string, file: string, key: string): number {
  return Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(read(process, file))?.[1] ?? 0);
}

function read(process: string, file: string): string {
  try {
    return readFileSync(`/proc/${process}/${file}`, "latin1");
  } catch {
    return "";
  }
}
