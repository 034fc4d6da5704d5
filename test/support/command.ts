import { spawn } from "node:child_process";
import { toolEnv } from "./tool-paths.ts";

/** How a command is run. */
export interface CommandOptions {
  readonly cwd?: string;
  /** Added to the environment of the tests. */
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads from its standard input; nothing by default. */
  readonly input?: string | Uint8Array;
  /** Milliseconds after which it is ended; two minutes by default. */
  readonly timeout?: number;
}

/** What a command that has ended left behind. */
export interface Finished {
  /** `null` when a signal ended it, such as the one at the end of its time. */
  readonly code: number | null;
  readonly bytes: Uint8Array;
  readonly stdout: string;
  readonly stderr: string;
}

const TIMEOUT_MS = 120_000;

/** Runs a command to its end, whatever that is. */
export async function attempt(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...toolEnv(), ...options.env },
      stdio: "pipe",
      timeout: options.timeout ?? TIMEOUT_MS,
      killSignal: "SIGKILL",
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (piece: Buffer) => out.push(piece));
    child.stderr.on("data", (piece: Buffer) => err.push(piece));
    child.once("error", reject);
    child.once("close", (code) => {
      const bytes = Buffer.concat(out);
      resolve({ code, bytes, stdout: bytes.toString("utf8"), stderr: Buffer.concat(err).toString("utf8") });
    });
    // A command that ends before it has read everything is judged by its exit code.
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");
  });
}

/**
 * Runs a command that must succeed.
 * @throws with everything it printed, if it does not
 */
export async function run(command: string, args: readonly string[], options: CommandOptions = {}): Promise<Finished> {
  const finished = await attempt(command, args, options);
  if (finished.code === 0) return finished;
  throw new Error(
    `${command} ${args.join(" ")}\nended with ${finished.code ?? "a signal"}:\n${finished.stdout}${finished.stderr}`.trimEnd(),
  );
}
