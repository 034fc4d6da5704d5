import * as z from "zod";
import { mirrorTaskShape } from "../../mirror/index.ts";
import { checkName, type KindDeclaration, type ResourceObject } from "../../resources/index.ts";
import { conditionsSchema } from "./condition.ts";
import { EXECUTION_STATES } from "../store/index.ts";
import { SYNC_TASKS } from "./names.ts";

/** Longest name of a task, in characters: names of its runs are longer. */
const MAX_NAME = 200;

export const syncTaskSpec = z.object({
  description: z.string().max(1024).optional().describe("What it is for."),
  ...mirrorTaskShape,
});

export type SyncTaskSpec = z.infer<typeof syncTaskSpec>;

const lastExecution = z.object({
  name: z.string().describe("Name of the Execution."),
  state: z.enum(EXECUTION_STATES).describe("Where it stands."),
  startedAt: z.string().optional().describe("RFC 3339."),
  endedAt: z.string().optional().describe("RFC 3339."),
  deleted: z.int().optional().describe("How many tags it deleted at the targets, if any."),
  message: z.string().optional().describe("Why it failed."),
});

export const syncTaskStatus = z.object({
  conditions: conditionsSchema
    .optional()
    .describe("`Complete`: the latest run ended well. `Running`: one runs. `Failed`: some of the latest run failed."),
  observedGeneration: z.int().optional().describe("The generation that the latest run had."),
  lastExecution: lastExecution.optional().describe("The latest run."),
  nextRuns: z.array(z.string()).optional().describe("The next times when it is due, RFC 3339."),
});

export type SyncTaskStatus = z.infer<typeof syncTaskStatus>;
export type SyncTask = ResourceObject<SyncTaskSpec, SyncTaskStatus>;

export const syncTaskKind: KindDeclaration<typeof syncTaskSpec, typeof syncTaskStatus> = {
  kind: "SyncTask",
  plural: SYNC_TASKS.plural,
  shortNames: ["st"],
  categories: ["sync"],
  scope: "Namespaced",
  description: "What to copy from one registry to others, by which rules and when.",
  spec: syncTaskSpec,
  status: syncTaskStatus,
  columns: [
    { name: "Source", type: "string", jsonPath: ".spec.source.registry" },
    { name: "Target", type: "string", jsonPath: ".spec.targets[*].registry" },
    { name: "Schedule", type: "string", jsonPath: ".spec.schedule.cron" },
    { name: "Interval", type: "string", jsonPath: ".spec.schedule.interval", priority: 1 },
    { name: "Enabled", type: "boolean", jsonPath: ".spec.enabled", priority: 1 },
    { name: "Last State", type: "string", jsonPath: ".status.lastExecution.state" },
    { name: "Next", type: "string", jsonPath: ".status.nextRuns[0]" },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  ],
  selectableFields: [".spec.source.registry", ".spec.enabled", ".status.lastExecution.state"],
  checkName(name) {
    if (name.length <= MAX_NAME) return checkName(name);
    const message = `Too long: may not be more than ${MAX_NAME} characters`;
    return [{ reason: "FieldValueTooLong", field: "metadata.name", message }];
  },
};
