import { writeFileSync } from "node:fs";
import path from "node:path";
import { attempt, run } from "../../support/command.ts";

/** A request that is sent again and again, each on what connection its client takes. */
export interface Sending {
  readonly method: "PATCH" | "POST" | "PUT";
  readonly url: string;
  /** Bytes of the body. */
  readonly size: number;
  readonly times: number;
  /** As they are on the wire: `name: value`. */
  readonly headers?: readonly string[];
}

/** Sends, and resolves to how often each status, or each failure, was what the client saw. */
export type Sender = (sending: Sending) => Promise<Readonly<Record<string, number>>>;

/** Clients that differ in what they do with an answer that comes while they send. */
export const CLIENTS = ["Go", "Python", "Node", "curl"] as const;

/** Makes the clients ready; `folder` takes what they need. */
export async function createSenders(folder: string): Promise<Readonly<Record<(typeof CLIENTS)[number], Sender>>> {
  const source = (name: string): string => path.join(import.meta.dirname, name);
  const program = path.join(folder, "refused");
  await run("go", ["build", "-o", program, source("refused.go")]);
  return {
    Go: (sending) => count(program, argumentsOf(sending)),
    Python: (sending) => count("python3", [source("refused.py"), ...argumentsOf(sending)]),
    Node: (sending) => count(process.execPath, [source("refused.mjs"), ...argumentsOf(sending)]),
    curl: (sending) => curl(folder, sending),
  };
}

function argumentsOf({ method, url, size, times, headers = [] }: Sending): string[] {
  return [method, url, String(size), String(times), ...headers];
}

async function curl(folder: string, { method, url, size, times, headers = [] }: Sending) {
  const body = path.join(folder, "body");
  writeFileSync(body, new Uint8Array(size));
  const seen: Record<string, number> = {};
  for (let turn = 0; turn < times; turn += 1) {
    const more = headers.flatMap((header) => ["--header", header]);
    const how = `--silent --max-time 60 --output ${path.join(folder, "answer")} --write-out %{http_code}`.split(" ");
    const { code, stdout } = await attempt("curl", [
      ...how,
      "--request",
      method,
      "--data-binary",
      `@${body}`,
      ...more,
      url,
    ]);
    add(seen, code === 0 ? stdout : `ended with ${code}`);
  }
  return seen;
}

async function count(command: string, args: readonly string[]): Promise<Record<string, number>> {
  const { stdout } = await run(command, args);
  const seen: Record<string, number> = {};
  for (const line of stdout.trim().split("\n")) add(seen, line);
  return seen;
}

function add(seen: Record<string, number>, what: string): void {
  seen[what] = (seen[what] ?? 0) + 1;
}
