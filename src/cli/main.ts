import { readFileSync } from "node:fs";
import * as z from "zod";
import type { Sleep } from "../mirror/index.ts";
import { readCommand, type SyncOptions, UsageError } from "./options.ts";
import { jsonReporter, lineReporter, type Reporter } from "./reporter.ts";
import { EXIT, sync } from "./sync-command.ts";
import { terminalReporter } from "./terminal-progress.ts";

/** A signal sooner than this after the first is the same one: a terminal's Ctrl-C also comes by way of npm. */
const SAME_SIGNAL_MS = 1000;

async function main(): Promise<number> {
  const command = readCommand(process.argv.slice(2));
  if (command.name === "sync") return await runSync(command.options);
  console.log(command.name === "version" ? version() : command.text);
  return EXIT.done;
}

async function runSync(options: SyncOptions): Promise<number> {
  const stop = stopOnSignal();
  const reporter = chooseReporter(options);
  try {
    const ports = { env: process.env, reporter, signal: stop.signal, clock: Date.now, sleep, version: version() };
    const code = await sync(options, ports);
    return stop.signal.aborted ? interrupted(stop.signal) : code;
  } finally {
    reporter.close();
  }
}

function chooseReporter({ format, verbose }: SyncOptions): Reporter {
  const { stdout, env } = process;
  const output = { line: (text: string) => console.log(text), complaint: (text: string) => console.error(text) };
  if (format === "json") return jsonReporter(output, Date.now, verbose);
  const isTerminal = stdout.isTTY && !env["NO_COLOR"] && !env["CI"] && env["TERM"] !== "dumb";
  if (!isTerminal) return lineReporter(output, verbose);
  const terminal = {
    get columns() {
      return stdout.columns;
    },
    get rows() {
      return stdout.rows;
    },
    write: (text: string) => void stdout.write(text),
  };
  return terminalReporter(terminal, Date.now, verbose);
}

/**
 * The first signal stops in good order; a second one ends the process at once. Whoever reads the output and goes away,
 * as `head` does, is a signal too.
 */
function stopOnSignal(): AbortController {
  const stop = new AbortController();
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error) => {
      if (!("code" in error) || error.code !== "EPIPE") throw error;
      stop.abort(new Error("SIGPIPE"));
    });
  }
  let since: number | undefined;
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      if (since === undefined) {
        since = Date.now();
        stop.abort(new Error(name));
      } else if (Date.now() - since > SAME_SIGNAL_MS) process.exit(interrupted(stop.signal));
    });
  }
  return stop;
}

/** As shells have it: 128 and the number of the signal. */
function interrupted({ reason }: AbortSignal): number {
  const name = reason instanceof Error ? reason.message : "";
  return name === "SIGTERM" ? 143 : name === "SIGPIPE" ? 141 : EXIT.interrupted;
}

const sleep: Sleep = (duration, signal) =>
  new Promise((resolve, reject) => {
    const fail = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", fail);
      resolve();
    }, duration);
    if (signal.aborted) fail();
    else signal.addEventListener("abort", fail, { once: true });
  });

function version(): string {
  const file = new URL("../../package.json", import.meta.url);
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(file, "utf8"))).version;
}

async function start(): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (error instanceof UsageError) console.error(error.message);
    else console.error(error);
    process.exitCode = error instanceof UsageError ? EXIT.misconfigured : EXIT.failed;
  }
}

await start();
