import { parseArgs } from "node:util";
import { parseDuration } from "../mirror/index.ts";

/** Wrong use of the command, in one line that says what is wrong. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What `entrepot sync` is asked to do. */
export interface SyncOptions {
  /** Path of the configuration; `-` is the standard input. */
  readonly config: string;
  /** Names of tasks; all that are enabled if there are none. */
  readonly tasks: readonly string[];
  readonly dryRun: boolean;
  /** Runs what failed in the last run of each task. */
  readonly onlyFailed: boolean;
  readonly validate: boolean;
  readonly watch: boolean;
  readonly verbose: boolean;
  readonly format: "json" | "text";
  /** Path of the folder that is kept between runs. */
  readonly state: string;
  /** How often images that did not change are looked at for new signatures, in milliseconds. */
  readonly referrersEvery: number;
}

export type Command =
  | { readonly name: "print"; readonly text: string }
  | { readonly name: "version" }
  | { readonly name: "sync"; readonly options: SyncOptions };

const USAGE = `Usage: entrepot <command>

  sync          mirror images between registries, as a file says
  --version     print the version
  --help        print this; entrepot sync --help tells more of sync`;

const SYNC_USAGE = `Usage: entrepot sync [options]

  --config FILE          what to mirror (default sync.yaml; - is the standard input)
  --task NAME            only this task, also if it is disabled; may be given more than once
  --dry-run              only say what would be copied and deleted
  --only-failed          only the images that failed in the last run
  --validate             only check the configuration
  --watch                stay, and keep the schedules of the tasks
  --format text|json     lines for people, or one JSON object per line (default text)
  --verbose              also say what did not change
  --state DIR            folder that is kept between runs (default .entrepot-sync)
  --referrers-every 24h  how often images that did not change are looked at for new
                         signatures and the like (default 24h; 0s is each time)
  --help                 print this

Exit codes: 0 all is as it should be, 1 something failed, 2 the configuration or the
command is wrong, 130 interrupted.`;

/**
 * Reads the command line.
 * @throws {UsageError}
 */
export function readCommand(args: readonly string[]): Command {
  const [first, ...rest] = args;
  if (first === "sync") return readSync(rest);
  if (first === "--version" || first === "version") return { name: "version" };
  if (first === "--help" || first === "-h" || first === "help") return { name: "print", text: USAGE };
  throw new UsageError(
    first === undefined ? `a command is needed\n${USAGE}` : `${first} is not a command (--help lists them)`,
  );
}

function readSync(args: readonly string[]): Command {
  const flags = parseFlags(args);
  if (flags.help === true) return { name: "print", text: SYNC_USAGE };
  const { format = "text" } = flags;
  if (format !== "text" && format !== "json") throw new UsageError(`--format: ${format} is neither text nor json`);
  const referrersEvery = parseDuration(flags["referrers-every"] ?? "24h");
  if (referrersEvery === undefined) {
    throw new UsageError(`--referrers-every: ${flags["referrers-every"]} is no duration such as 24h`);
  }
  const watch = flags.watch ?? false;
  const dryRun = flags["dry-run"] ?? false;
  const onlyFailed = flags["only-failed"] ?? false;
  if (watch && dryRun) throw new UsageError("--dry-run: may not be given together with --watch");
  if (watch && onlyFailed) throw new UsageError("--only-failed: may not be given together with --watch");
  return {
    name: "sync",
    options: {
      config: flags.config ?? "sync.yaml",
      tasks: flags.task ?? [],
      dryRun,
      onlyFailed,
      validate: flags.validate ?? false,
      watch,
      verbose: flags.verbose ?? false,
      format,
      state: flags.state ?? ".entrepot-sync",
      referrersEvery,
    },
  };
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        config: { type: "string", short: "c" },
        task: { type: "string", multiple: true },
        "dry-run": { type: "boolean" },
        "only-failed": { type: "boolean" },
        validate: { type: "boolean" },
        watch: { type: "boolean" },
        verbose: { type: "boolean", short: "v" },
        format: { type: "string" },
        state: { type: "string" },
        "referrers-every": { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)} (--help lists the options)`);
  }
}
