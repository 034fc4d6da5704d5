import { readFileSync } from "node:fs";
import {
  type ConfigProblem,
  formatProblem,
  type ImageName,
  type MirrorTask,
  parseDuration,
  parseSyncYaml,
  type RunPorts,
  type RunSummary,
  runTask,
  type Sleep,
  type SyncConfig,
  type TaskConfig,
} from "../mirror/index.ts";
import { type SyncOptions, UsageError } from "./options.ts";
import { openRegistries, type Registries } from "./registries.ts";
import { formatTime } from "./quantities.ts";
import type { Reporter } from "./reporter.ts";
import { openStateFolder, type StateFolder } from "./state-folder.ts";
import { keepSchedule } from "./watch.ts";

/** What the process ends with. */
export const EXIT = { done: 0, failed: 1, misconfigured: 2, interrupted: 130 } as const;

/** What the command works with. */
export interface SyncPorts {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
  readonly clock: () => number;
  readonly sleep: Sleep;
  readonly version: string;
}

/**
 * `entrepot sync`. Resolves to the exit code.
 * @throws {UsageError} if the configuration or the command is wrong, in lines that name what
 */
export async function sync(options: SyncOptions, ports: SyncPorts): Promise<number> {
  const { reporter } = ports;
  const config = readConfig(options, ports);
  const tasks = chosenTasks(config, options);
  if (options.validate) {
    const names = config.tasks.map(({ name }) => name).join(", ");
    reporter.message("info", `${options.config} is in order: ${config.registries.length} registries; tasks ${names}`);
    return EXIT.done;
  }
  if (tasks.length === 0) reporter.message("warn", "every task is disabled; --task runs one all the same");
  const state = openStateFolder(options.state, { readOnly: options.dryRun });
  try {
    const session: Session = {
      options,
      ports,
      state,
      registries: openRegistries(config.registries, registryPorts(ports)),
    };
    return options.watch ? await watch(session, tasks) : await once(session, tasks);
  } finally {
    state.release();
  }
}

/** What the runs of one process share. */
interface Session {
  readonly options: SyncOptions;
  readonly ports: SyncPorts;
  readonly state: StateFolder;
  readonly registries: Registries;
}

function registryPorts({ signal, reporter, clock, sleep, version, env }: SyncPorts) {
  return { signal, reporter, clock, sleep, env, userAgent: `entrepot/${version}` };
}

function readConfig(options: SyncOptions, { env, reporter }: SyncPorts): SyncConfig {
  const parsed = parseSyncYaml(readText(options.config), (name) => env[name]);
  if (!parsed.ok) throw new UsageError(problemLines(options.config, parsed.error));
  const { config, warnings } = parsed.value;
  for (const warning of warnings) reporter.message("warn", formatProblem(options.config, warning));
  if (config.tasks.length === 0) throw new UsageError(`${options.config}: sync_rules: there is no rule to run`);
  const local = config.registries.find(({ type }) => type === "local");
  if (local !== undefined) {
    throw new UsageError(
      `${options.config}: registries.${local.name}: the type local is for tasks that a registry runs itself; give the url of the registry here`,
    );
  }
  return config;
}

function readText(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    throw new UsageError(`--config: ${file} cannot be read (${code})`);
  }
}

function problemLines(file: string, problems: readonly ConfigProblem[]): string {
  return problems.map((problem) => formatProblem(file, problem)).join("\n");
}

/** Those that were asked for by name, or all that are enabled. */
function chosenTasks({ tasks }: SyncConfig, options: SyncOptions): readonly TaskConfig[] {
  if (options.tasks.length === 0) return tasks.filter(({ spec }) => spec.enabled);
  return [...new Set(options.tasks)].map((name) => {
    const task = tasks.find((task) => task.name === name);
    if (task === undefined) {
      throw new UsageError(`--task: there is no task ${name}; there are ${tasks.map(({ name }) => name).join(", ")}`);
    }
    return task;
  });
}

async function once(session: Session, tasks: readonly TaskConfig[]): Promise<number> {
  let failed = false;
  for (const task of tasks) {
    const summary = await run(session, task);
    if (summary?.state === "canceled") return EXIT.interrupted;
    failed ||= summary?.state === "failed" || summary?.state === "partial";
  }
  return failed ? EXIT.failed : EXIT.done;
}

async function watch(session: Session, tasks: readonly TaskConfig[]): Promise<number> {
  const { ports, state } = session;
  const scheduled = tasks.filter(({ spec }) => spec.schedule !== undefined);
  if (scheduled.length === 0) throw new UsageError("--watch: no task has a schedule (cron_expression or interval)");
  for (const { name, spec } of tasks) {
    if (spec.schedule === undefined) ports.reporter.message("warn", "has no schedule: --watch does not run it", name);
  }
  await Promise.all(
    scheduled.map(async ({ name, spec, ...task }) => {
      if (spec.schedule === undefined) return;
      await keepSchedule(spec.schedule, {
        clock: ports.clock,
        sleep: ports.sleep,
        signal: ports.signal,
        lastRun: () => state.lastRun(name),
        saveLastRun: (time) => state.saveLastRun(name, time),
        announce: (next) => ports.reporter.message("info", `runs next at ${next.toISOString()}`, name),
        run: async () => void (await run(session, { name, spec, ...task })),
      });
    }),
  );
  return EXIT.interrupted;
}

/** Runs a task; `undefined` if only what failed is to be run, and nothing did. */
async function run(session: Session, config: TaskConfig): Promise<RunSummary | undefined> {
  const { options, ports, state } = session;
  const { reporter, clock, sleep, signal } = ports;
  const { name } = config;
  const only = options.onlyFailed ? state.failures(name) : undefined;
  if (only?.length === 0) {
    reporter.message("info", "nothing failed in its last run", name);
    return undefined;
  }
  if (options.onlyFailed && only === undefined) {
    reporter.message("info", "what failed in its last run is not known: all of it is run", name);
  }
  const runPorts: RunPorts = {
    clock,
    sleep,
    random: Math.random,
    signal,
    written: state.written,
    checkpoints: state.checkpoints,
    created: state.created,
    referrerChecks: state.referrerChecks(options.referrersEvery, clock),
    progress: (event) => reporter.progress(name, event),
    observe: (event) => reporter.event(name, event),
    permits: (wanted) => session.registries.permits(wanted),
    onRetry: (what, wait, error) => {
      const why = error instanceof Error ? error.message : String(error);
      reporter.message("warn", `${what}: ${why}; trying again in ${formatTime(wait)}`, name);
    },
  };
  const summary = await runTask(taskOf(config, session.registries), runPorts, {
    dryRun: options.dryRun,
    ...(only === undefined ? {} : { only }),
  });
  reporter.ended(summary);
  if (!options.dryRun) state.saveFailures(name, failuresOf(summary, only));
  return summary;
}

/** What failed in a run, and what it did not come to of `only`; `undefined` if it does not know all that there is. */
function failuresOf(
  { items, listingFailures, state }: RunSummary,
  only: readonly ImageName[] | undefined,
): readonly ImageName[] | undefined {
  if (listingFailures.length > 0 || (state === "canceled" && only === undefined)) return undefined;
  // Which of two images has a name is decided where all are looked at.
  if (items.some(({ failure }) => failure === "collision")) return undefined;
  const nameOf = ({ repository, tag }: ImageName) => `${repository}:${tag}`;
  const seen = new Set(items.map(nameOf));
  const failed = items.filter(({ outcome }) => ["failed", "conflict", "canceled"].includes(outcome));
  return [...failed, ...(only ?? []).filter((name) => !seen.has(nameOf(name)))];
}

function taskOf({ name, timeout, spec }: TaskConfig, registries: Registries): MirrorTask {
  const { source, targets, notifications: _notifications, ...rules } = spec;
  return {
    name,
    source: registries.get(source.registry),
    select: source,
    targets: targets.map(({ registry, repository, tag }) => ({ registry: registries.get(registry), repository, tag })),
    rules,
    timeout: timeout === undefined ? undefined : parseDuration(timeout),
  };
}
