import type { Result } from "../../platform/index.ts";
import type { ExecutionCause, StoredExecution } from "../store/index.ts";
import type { SyncTask } from "./sync-task.ts";

/** How to run a task. */
export interface RunOptions {
  readonly cause: ExecutionCause;
  /** Who asks. */
  readonly actor: string;
  /** Plan only: nothing is copied. */
  readonly dryRun?: boolean;
  /** The id of the run whose failed items are to be repeated, and nothing else. */
  readonly onlyFailedOf?: number;
  /** Look at these tags only. */
  readonly tags?: readonly string[];
}

/** Why a task was not run. */
export type RunRefusal =
  | { readonly reason: "running"; readonly execution: StoredExecution }
  /** Such as a registry that is not there. */
  | { readonly reason: "invalid"; readonly message: string };

/** One tag as a dry run finds it. */
export interface PreviewItem {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
  /** `delete`: a tag at a target, whose repository this is, that the source no longer has. */
  readonly action: "copy" | "unchanged" | "skip" | "conflict" | "delete";
  readonly reason?: string;
  /** As `<registry>/<repository>:<tag>`. */
  readonly targets: readonly string[];
  /** Bytes of what would be copied, as far as known. */
  readonly bytes?: number;
}

/** What a run would do. */
export interface Preview {
  readonly items: readonly PreviewItem[];
  /** There is more than what is listed. */
  readonly truncated: boolean;
  /** What went wrong with some of it. */
  readonly warnings: readonly string[];
}

/** Why there is no preview. */
export interface PreviewRefusal {
  /** `invalid`: a run would be refused as well. `unavailable`: the registries gave no answer. */
  readonly reason: "invalid" | "unavailable";
  readonly message: string;
}

/** Begins, stops and tries out runs. */
export interface TaskControl {
  run(task: SyncTask, options: RunOptions): Promise<Result<StoredExecution, RunRefusal>>;
  /** Asks a run to stop, which it does within seconds. `undefined` if it is not active. */
  stop(execution: StoredExecution): Promise<StoredExecution | undefined>;
  /** @param limit how many items to list at the most */
  preview(
    task: SyncTask,
    options: { readonly limit: number; readonly tags?: readonly string[]; readonly signal: AbortSignal },
  ): Promise<Result<Preview, PreviewRefusal>>;
  /** Has a task that is new, or another than before, say when it is due next. */
  changed(task: SyncTask): void;
}

/** What a test of a registry found. */
export interface RegistryTest {
  readonly ok: boolean;
  /** For people; never a secret. */
  readonly message: string;
  /** What the registry can, if it was reached. */
  readonly capabilities?: Readonly<Record<string, boolean>>;
}

/** Why a registry could not be read. */
export interface AccessFailure {
  /** For people; never a secret. */
  readonly message: string;
}

/** Calls registries by the names of their objects. The objects are there. */
export interface RegistryAccess {
  test(namespace: string, name: string): Promise<RegistryTest>;
  projects(namespace: string, name: string): Promise<Result<readonly string[], AccessFailure>>;
  /** All of them, or those of a project; not more than `limit`. */
  repositories(
    namespace: string,
    name: string,
    options: { readonly project?: string; readonly limit: number },
  ): Promise<Result<readonly string[], AccessFailure>>;
}

/** Sends a message that says that it is a test. */
export interface ChannelTester {
  test(namespace: string, name: string): Promise<{ readonly ok: boolean; readonly message: string }>;
}
