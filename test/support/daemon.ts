import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { toolEnv } from "./tool-paths.ts";

/** How long a daemon gets to begin, and to end, in milliseconds. */
const START_MS = 90_000;
const STOP_MS = 20_000;

/** A daemon that clients talk to by a socket. */
export interface Daemon {
  /** Ends it with all that it started. */
  stop(): Promise<void>;
}

/**
 * Starts a daemon in a process group of its own, and resolves when its socket is there.
 * @throws with what it printed if it ends before
 */
export async function startDaemon(
  program: string,
  args: readonly string[],
  socket: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Daemon> {
  const child = spawn(program, args, {
    env: { ...toolEnv(), ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (piece: Buffer) => {
      printed = (printed + piece.toString()).slice(-10_000);
    });
  }
  const deadline = Date.now() + START_MS;
  while (!existsSync(socket)) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop(child);
      throw new Error(`${program} did not start:\n${printed}`);
    }
    await sleep(100);
  }
  return { stop: async () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  // What it started belongs to its group, and would go on.
  const timer = setTimeout(() => process.kill(-(child.pid ?? 0), "SIGKILL"), STOP_MS);
  child.kill("SIGTERM");
  await exited;
  clearTimeout(timer);
}
