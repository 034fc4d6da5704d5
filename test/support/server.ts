import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { ROOT } from "../../src/selfhost/paths.ts";

/** How a test's server is started. */
export interface ServerOptions {
  /** Folder to serve from; a new one that goes away with the server by default. */
  readonly data?: string;
  /** Settings, as environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Further command line options. */
  readonly args?: readonly string[];
}

/** The whole platform, as `npm start` runs it, on a free port of loopback. */
export interface Server {
  /** Without a slash at the end. */
  readonly url: string;
  /** `127.0.0.1:<port>`. */
  readonly host: string;
  readonly data: string;
  /** The process of the server; the runtime is a child of it. */
  readonly pid: number;
  /** Everything printed so far. */
  output(): string;
  /** Ends it as a user would, and resolves to its exit code. */
  stop(): Promise<number | null>;
  /** Ends it and its runtime at once, as a power cut would. The data folder stays. */
  kill(): Promise<void>;
}

/** Lines that a server prints when it serves. */
const READY = /^Ready on (https?:\/\/\S+)$/;

/** @throws if the server ends before it serves; the message holds what it printed */
export async function startServer(options: ServerOptions = {}): Promise<Server> {
  const data = options.data ?? mkdtempSync(path.join(tmpdir(), "entrepot-test-"));
  const child = spawn(
    process.execPath,
    [path.join(ROOT, "src/selfhost/main.ts"), "--port", "0", "--data", data, ...(options.args ?? [])],
    // A process group of its own, so that `kill` reaches the runtime as well.
    { cwd: ROOT, env: { ...process.env, ...options.env }, stdio: ["ignore", "pipe", "pipe"], detached: true },
  );
  const lines: string[] = [];
  const url = await ready(child, lines);
  const exited = once(child, "exit");
  const cleanUp = (): void => {
    if (options.data === undefined) rmSync(data, { recursive: true, force: true });
  };
  return {
    url,
    host: new URL(url).host,
    data,
    pid: child.pid ?? 0,
    output: () => lines.join("\n"),
    async stop() {
      child.kill("SIGTERM");
      const [code] = (await exited) as [number | null];
      cleanUp();
      return code;
    },
    async kill() {
      process.kill(-(child.pid ?? 0), "SIGKILL");
      await exited;
    },
  };
}

async function ready(child: ChildProcess, lines: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        lines.push(line);
        const url = READY.exec(line)?.[1];
        if (url !== undefined) resolve(url);
      });
    }
    child.once("exit", (code) =>
      reject(new Error(`the server ended with ${code} before it served:\n${lines.join("\n")}`)),
    );
  });
}
