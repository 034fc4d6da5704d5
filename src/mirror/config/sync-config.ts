import type { z } from "zod";
import type { mirrorTaskShape } from "../rules/index.ts";
import type { registryEntrySchema } from "./entry-schemas.ts";

/** A registry of a configuration, under the name that its tasks use. */
export interface RegistryConfig extends z.infer<typeof registryEntrySchema> {
  readonly name: string;
}

/** What a task is besides its name: the spec of a SyncTask. */
export type TaskSpec = z.infer<z.ZodObject<typeof mirrorTaskShape>>;

/** One task of a configuration, complete: what the file gives for all tasks is filled in. */
export interface TaskConfig {
  readonly name: string;
  readonly description?: string;
  /** How long one attempt at one tag may take, as text such as `10m`. */
  readonly timeout?: string;
  readonly spec: TaskSpec;
}

/** A sync.yaml, read. */
export interface SyncConfig {
  readonly registries: readonly RegistryConfig[];
  readonly tasks: readonly TaskConfig[];
}

/** Something about a place in a sync.yaml. */
export interface ConfigProblem {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** Names of fields as the file writes them, such as `sync_rules[0].tags.include[1]`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

/** A problem in one line, as compilers write them. */
export function formatProblem(file: string, problem: ConfigProblem): string {
  const path = problem.path === "" ? "" : `${problem.path}: `;
  return `${file}:${problem.line}:${problem.column}: ${path}${problem.message}`;
}
