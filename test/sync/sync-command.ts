import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { z } from "zod";
import { ROOT } from "../../src/selfhost/paths.ts";
import { attempt, type Finished } from "../support/command.ts";

const itemSchema = z.object({
  type: z.literal("item"),
  repository: z.string(),
  tag: z.string(),
  outcome: z.string(),
  error: z.string().optional(),
  warnings: z.array(z.string()),
});

const summarySchema = z.object({
  type: z.literal("summary"),
  state: z.string(),
  counts: z.record(z.string(), z.number()),
  bytes: z.number(),
  blobs: z.object({ copied: z.number(), mounted: z.number(), skipped: z.number() }),
  warnings: z.array(z.string()),
});

export type SyncItem = z.infer<typeof itemSchema>;
export type SyncSummary = z.infer<typeof summarySchema>;

/** What one run of the command came to. */
export interface SyncRun extends Finished {
  readonly items: readonly SyncItem[];
  /** @throws if there is none */
  readonly summary: SyncSummary;
  /** Everything that was said, for messages of failed expectations. */
  readonly said: string;
}

/** The command with a folder of its own for its configuration and what it keeps between runs. */
export interface SyncCommand {
  readonly folder: string;
  /** Runs it to its end, which may be a failure. */
  run(config: object, ...args: readonly string[]): Promise<SyncRun>;
  /** Starts it; whoever does that ends it. */
  start(config: object, ...args: readonly string[]): ChildProcess;
  remove(): void;
}

const MAIN = path.join(ROOT, "src/cli/main.ts");
const TIMEOUT_MS = 10 * 60_000;

/** Between two tries in tests, which cannot wait. */
export const FAST_RETRIES = { attempts: 4, initial: "20ms", maximum: "200ms" };

export function syncCommand(): SyncCommand {
  const folder = mkdtempSync(path.join(tmpdir(), "entrepot-sync-"));
  const args = (config: object, more: readonly string[]): readonly string[] => {
    const file = path.join(folder, "sync.yaml");
    // JSON is YAML.
    writeFileSync(file, JSON.stringify(config));
    const state = path.join(folder, "state");
    return [MAIN, "sync", "--config", file, "--format", "json", "--state", state, ...more];
  };
  return {
    folder,
    run: async (config, ...more) =>
      parsed(await attempt(process.execPath, args(config, more), { cwd: folder, timeout: TIMEOUT_MS })),
    start: (config, ...more) =>
      spawn(process.execPath, [...args(config, more)], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Ends a started command at once, as a crash would, and waits until it is gone. */
export async function crash(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

/** A configuration that copies one repository from one registry to another. */
export function copying(source: string, target: string, repository: string, rules: object = {}): object {
  return {
    global: { retry: FAST_RETRIES },
    registries: { source: { url: source, insecure: true }, target: { url: target, insecure: true } },
    sync_rules: [
      {
        name: "copy",
        enabled: true,
        source: { registry: "source", repository },
        target: { registry: "target", repository },
        ...rules,
      },
    ],
  };
}

function parsed(finished: Finished): SyncRun {
  const items: SyncItem[] = [];
  const summaries: SyncSummary[] = [];
  for (const line of finished.stdout.split("\n").filter((text) => text.startsWith("{"))) {
    const value: unknown = JSON.parse(line);
    const item = itemSchema.safeParse(value);
    if (item.success) items.push(item.data);
    const summary = summarySchema.safeParse(value);
    if (summary.success) summaries.push(summary.data);
  }
  const said = `exit code ${finished.code}\n${finished.stdout}${finished.stderr}`;
  return {
    ...finished,
    items,
    said,
    get summary() {
      const last = summaries.at(-1);
      if (last === undefined) throw new Error(`there is no summary:\n${said}`);
      return last;
    },
  };
}
