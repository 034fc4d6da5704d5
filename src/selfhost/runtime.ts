import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { ROOT, SELF_HOST, workerdPath } from "./paths.ts";

/** What the runtime is started with. */
export interface RuntimeOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly data: string;
  readonly settings: Readonly<Record<string, string>>;
  /** Port of loopback at which Chrome's DevTools Protocol is spoken, by anybody who gets there: to measure, not to serve. */
  readonly inspector?: number;
}

/** What the process that assembles the engine is told, on standard input. */
export interface EngineRequest {
  readonly options: RuntimeOptions;
  /** Where workerd's configuration goes, in its binary form. */
  readonly config: string;
  /** Folder for what workerd wants to find when it starts, and not later. */
  readonly temporary: string;
}

/** The running Worker. */
export interface Runtime {
  /** Where the Worker itself listens. */
  readonly port: number;
  /** Fires the cron trigger for a minute. */
  tick(scheduledTime: Date): Promise<void>;
  /** Takes no new request, finishes the running ones within `patience` milliseconds, and ends, whatever they do. */
  stop(patience: number): Promise<void>;
}

/** An address that cannot be listened on. */
export class AddressInUseError extends Error {
  override readonly name = "AddressInUseError";
}

/** How long workerd is left alone before it is started again after an end that nobody asked for, in milliseconds. */
const RESTART_MS = 1000;

/** How long the Worker has to take in that it is to stop, in milliseconds: one that is too busy is not waited for. */
const TOLD_MS = 5000;

/** Where workerd listens: for the clock, and for clients. */
interface Ports {
  readonly clock: number;
  readonly worker: number;
}

/**
 * Starts the Worker's bundle on workerd. Miniflare, which knows how workerd is made to look like Cloudflare, only writes
 * the configuration down, in a process that ends (engine.ts). A workerd that ends by itself is started again.
 */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  let workerd = await startWorkerd(options);
  let stopping = false;
  // Those who know the address are to find the server there again.
  const again = { ...options, port: workerd.ports.worker };
  const restart = async (): Promise<void> => {
    await delay(RESTART_MS);
    if (stopping) return;
    workerd = await startWorkerd(again);
    if (stopping) workerd.process.kill("SIGKILL");
    else watch();
  };
  const watch = (): void => {
    workerd.process.once("exit", (code, signal) => {
      if (stopping) return;
      console.error(`the runtime ended (${signal ?? `code ${code}`}); starting it again`);
      restart().catch((error: unknown) => {
        console.error(error);
        process.exit(1);
      });
    });
  };
  const fire = async (cron: string, time: Date): Promise<void> => {
    const query = new URLSearchParams({ cron, time: String(time.getTime()) });
    // fetch() and node:http would take another 15 MB for one request a minute.
    const socket = connect(workerd.ports.clock, "127.0.0.1");
    socket.write(`GET /?${query} HTTP/1.1\r\nHost: clock\r\nConnection: close\r\n\r\n`);
    const answer = await text(socket);
    if (!answer.startsWith("HTTP/1.1 200 ")) throw new Error(`the clock's call failed: ${answer.slice(0, 300)}`);
  };
  // A Worker whose settings are wrong fails here, and tells it to whoever asks.
  await fire("@start", new Date()).catch((error: unknown) => console.error(`start: ${String(error)}`));
  watch();
  return {
    port: workerd.ports.worker,
    async tick(scheduledTime) {
      await fire("* * * * *", scheduledTime);
    },
    async stop(patience) {
      stopping = true;
      const until = performance.now() + patience;
      await Promise.race([fire("@stop", new Date()).catch(() => undefined), delay(TOLD_MS)]);
      await end(workerd.process, until - performance.now());
    },
  };
}

interface Workerd {
  readonly process: ChildProcess;
  readonly ports: Ports;
}

async function startWorkerd(options: RuntimeOptions): Promise<Workerd> {
  const folder = mkdtempSync(path.join(options.data, ".start-"));
  try {
    return await startWith(await engineConfig(options, folder), options);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function startWith(config: Buffer, options: RuntimeOptions): Promise<Workerd> {
  const child = spawn(
    path.join(SELF_HOST, "workerd.sh"),
    [
      "serve",
      "--binary",
      "--experimental",
      "--socket-addr=entry=127.0.0.1:0",
      "--control-fd=3",
      ...(options.inspector === undefined ? [] : [`--inspector-addr=127.0.0.1:${options.inspector}`]),
      "-",
    ],
    { env: { ...process.env, TZ: "UTC", WORKERD: workerdPath() }, stdio: ["pipe", "pipe", "pipe", "pipe"] },
  );
  const output = relay(child);
  // One that ends before it has read its configuration is told of by its end.
  child.stdin.on("error", () => undefined);
  child.stdin.end(config);
  // When it has closed, all that it said was read.
  const closed = once(child, "close").then(() => undefined);
  const ports = await Promise.race([listening(child.stdio[3] as Readable), closed]);
  if (ports !== undefined) {
    output.begin();
    return { process: child, ports };
  }
  const said = output.said();
  if (/address already in use/i.test(said)) throw new AddressInUseError(`${options.host}:${options.port} is in use`);
  throw new Error(`the runtime did not start:\n${said}`);
}

/** What workerd is started with, in its binary form. It has the settings in it, and is on disk no longer than needed. */
async function engineConfig(options: RuntimeOptions, folder: string): Promise<Buffer> {
  const request: EngineRequest = { options, config: path.join(folder, "engine"), temporary: folder };
  const child = spawn(process.execPath, [path.join(SELF_HOST, "engine.ts")], {
    cwd: ROOT,
    // Compiling Miniflare takes a third of its time.
    env: { NODE_COMPILE_CACHE: path.join(ROOT, "dist", "compile-cache"), ...process.env },
    stdio: ["pipe", "inherit", "inherit"],
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(JSON.stringify(request));
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error("the runtime could not be put together");
  const config = readFileSync(request.config);
  rmSync(request.config);
  return config;
}

/** The ports that workerd tells of on its control pipe, a JSON object a line. Never resolves if it tells of none. */
async function listening(control: Readable): Promise<Ports> {
  const known = new Map<string, number>();
  return new Promise((resolve) => {
    createInterface({ input: control }).on("line", (line) => {
      const { event, socket, port } = JSON.parse(line) as { event: string; socket: string; port: number };
      if (event === "listen") known.set(socket, port);
      const [clock, worker] = [known.get("entry"), known.get("direct:0:default")];
      if (clock !== undefined && worker !== undefined) resolve({ clock, worker });
    });
  });
}

/** Passes on what workerd says: a JSON object a line where the Worker logs, else text. */
interface Relay {
  /** Prints what was said so far, and all that follows. */
  begin(): void;
  /** What was said and not printed. */
  said(): string;
}

function relay(child: ChildProcess): Relay {
  const held: string[] = [];
  let isOpen = false;
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on("line", (line) => {
      if (isOpen) print(line);
      else held.push(line);
    });
  }
  return {
    begin() {
      isOpen = true;
      for (const line of held.splice(0)) print(line);
    },
    said: () => held.join("\n"),
  };
}

function print(line: string): void {
  const { level, message } = logEntry(line) ?? { level: "error", message: line };
  if (level === "error" || level === "warn") console.error(message);
  else console.log(message);
}

function logEntry(line: string): { readonly level: string; readonly message: string } | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const { level, message } = JSON.parse(line) as Record<string, unknown>;
    return typeof level === "string" && typeof message === "string" ? { level, message } : undefined;
  } catch {
    return undefined;
  }
}

/** Asks workerd to end as soon as its requests have, and ends it if they go on. */
async function end(workerd: ChildProcess, patience: number): Promise<void> {
  if (workerd.exitCode !== null || workerd.signalCode !== null) return;
  const exited = once(workerd, "exit");
  const timer = setTimeout(() => workerd.kill("SIGKILL"), patience);
  workerd.kill("SIGTERM");
  await exited;
  clearTimeout(timer);
}
