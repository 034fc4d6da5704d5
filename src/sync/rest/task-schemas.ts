import * as z from "zod";
import { mirrorTaskShape } from "../../mirror/index.ts";
import { registryView } from "./registry-view.ts";

/** What tasks are by rule, as JSON Schema: for the document, since what a request gives is merged before it is checked. */
const rulesSchema = z.toJSONSchema(z.object(mirrorTaskShape), {
  io: "input",
  unrepresentable: "any",
  reused: "inline",
});

const rules = z
  .record(z.string(), z.unknown())
  .meta({ properties: rulesSchema.properties ?? {} })
  .describe(
    "All rules of the task, as the spec of the SyncTask. In a request, a merge patch of them: what is null is removed, and lists are replaced. The fields beside it win.",
  );

const path = z.string().max(255);
const texts = z.array(z.string()).max(100);

const fields = {
  description: z.string().max(1024),
  source_registry: z.int().min(1).describe("Number of the registry to read."),
  source_project: path.describe("Project; empty if `source_repo` is a whole name."),
  source_repo: path.describe("Repository below the project, or its whole name. Empty: the whole project."),
  target_registry: z.int().min(1).describe("Number of the registry to write."),
  target_project: path.describe("Project; empty if `target_repo` is a whole name."),
  target_repo: path.describe("Repository below the project, or its whole name. Empty: the name at the source."),
  tag_include: texts.describe("Regular expressions (RE2) of tags to copy. Empty: all."),
  tag_exclude: texts.describe("Regular expressions (RE2) of tags not to copy."),
  tag_latest: z
    .int()
    .min(0)
    .max(10_000)
    .describe("Only the newest so many, by version unless `rules` say otherwise. 0: all."),
  architectures: z.array(z.string()).max(50).describe("Such as `amd64` or `arm/v7`. Empty: all."),
  enabled: z.boolean().describe("Whether the schedule is kept."),
  cron_expression: z.string().max(128).describe("Minute, hour, day of month, month, day of week. Empty: by hand only."),
  send_notification: z.boolean(),
  notification_condition: z.enum(["all", "failed"]),
};

const channelIds = z
  .union([z.string(), z.array(z.int())])
  .transform((given, context): readonly number[] => {
    const ids = z.array(z.int()).safeParse(typeof given === "string" ? jsonOf(given) : given);
    if (ids.success) return ids.data;
    context.addIssue({ code: "custom", message: "must be a list of numbers, or a JSON text of one such as [1,2]" });
    return z.NEVER;
  })
  .describe("Numbers of channels: a list, or a JSON text of one such as `[1,2]`.");

function jsonOf(text: string): unknown {
  try {
    return text.trim() === "" ? [] : JSON.parse(text);
  } catch {
    return undefined;
  }
}

const name = z.string().trim().min(1).max(253);
const input = { ...fields, notification_channel_ids: channelIds, rules };

/** What changes a task: what is not given stays. */
export const taskChange = z.object({ name, ...input }).partial();
export const taskInput = taskChange.required({ name: true });

export type TaskChange = z.infer<typeof taskChange>;

const lastExecution = z.object({
  id: z.int().nullable(),
  name: z.string(),
  status: z.string().describe("As in the list of executions."),
  state: z.string(),
  start_time: z.string().nullable(),
  end_time: z.string().nullable(),
  error_message: z.string(),
});

/** A task as clients read it. */
export const taskView = z.object({
  id: z.int(),
  name: z.string(),
  namespace: z.string(),
  ...fields,
  source_registry: z.int(),
  target_registry: z.int(),
  tag_latest: z.int(),
  notification_channel_ids: z.string().describe("Numbers of channels, as a JSON text."),
  created_at: z.string(),
  updated_at: z.string(),
  source_registry_obj: registryView.optional(),
  target_registry_obj: registryView.optional(),
  rules,
  running: z.boolean(),
  last_execution: lastExecution.nullable(),
  next_runs: z.array(z.string()).describe("The next times when it is due, RFC 3339."),
});

export type TaskView = z.infer<typeof taskView>;
/** What a task's rules are in the fields of the older shape; registries and channels by their names. */
export interface FlatRules {
  readonly source_registry: string;
  readonly source_project: string;
  readonly source_repo: string;
  readonly target_registry: string;
  readonly target_project: string;
  readonly target_repo: string;
  readonly tag_include: readonly string[];
  readonly tag_exclude: readonly string[];
  readonly tag_latest: number;
  readonly architectures: readonly string[];
  readonly enabled: boolean;
  readonly cron_expression: string;
  readonly send_notification: boolean;
  readonly notification_condition: "all" | "failed";
  readonly notification_channels: readonly string[];
}
