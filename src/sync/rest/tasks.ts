import * as z from "zod";
import { applyMergePatch } from "../../resources/index.ts";
import { SYNC_API_VERSION, SYNC_TASKS, type SyncTaskSpec, type SyncTaskStatus } from "../kinds/index.ts";
import { displayName, withDisplayName } from "./object-names.ts";
import { checkDisplayName, listedObjects, newName, targetObject } from "./objects.ts";
import { placed, type RestCall, type RestRoute, route } from "./route.ts";
import { differing, flatRules, type WantedTask, withFlatRules } from "./task-rules.ts";
import { type TaskChange, taskChange, taskInput, taskView } from "./task-schemas.ts";
import { givenRules, type TaskObject, taskViewer } from "./task-view.ts";

const PATH = "/api/v1/tasks";
const tag = "tasks";
const message = z.object({ message: z.string() });
const started = z.object({ spec: z.object({ id: z.int() }) });
// A misspelt wish to copy nothing must not copy.
const runOptions = z.strictObject({
  dry_run: z.boolean().default(false).describe("Copy nothing."),
  only_failed: z.boolean().default(false).describe("Only what failed in the latest run."),
  tags: z.array(z.string()).optional().describe("Only these tags."),
});
const previewItem = z.object({
  repository: z.string(),
  tag: z.string(),
  digest: z.string(),
  action: z.string().describe("`copy`, `unchanged`, `skip`, `conflict`, or `delete` of a tag at a target."),
  reason: z.string().optional(),
  targets: z.array(z.string()),
  bytes: z.number().optional(),
});
const preview = z.object({ items: z.array(previewItem), truncated: z.boolean(), warnings: z.array(z.string()) });
const previewQuery = placed.extend({
  limit: z.coerce.number().int().min(1).max(1000).default(100).describe("Items that are listed."),
});

/** Tasks as numbered resources. */
export const TASK_ROUTES: readonly RestRoute[] = [
  route({
    method: "GET",
    path: PATH,
    summary: "All tasks",
    tag,
    asked: { verb: "list", kind: SYNC_TASKS },
    status: 200,
    answer: z.array(taskView),
    async handle(call) {
      const tasks = await listedObjects<SyncTaskSpec, SyncTaskStatus>(call, SYNC_TASKS, "task");
      const views = [];
      const view = taskViewer(call);
      for (const { id, object } of tasks) views.push(await view(id, object));
      return Response.json(views);
    },
  }),
  route({
    method: "POST",
    path: PATH,
    summary: "Adds a task, in either shape: project and repository, or whole names",
    tag,
    asked: { verb: "create", kind: SYNC_TASKS },
    body: taskInput,
    status: 201,
    answer: taskView,
    failures: { 409: "There is one of that name." },
    async handle(call, _query, given) {
      const { namespace } = call;
      const name = await newName(call, SYNC_TASKS, given.name);
      const object = (await call.client.create<WantedTask, SyncTaskStatus>(SYNC_TASKS, {
        apiVersion: SYNC_API_VERSION,
        kind: "SyncTask",
        metadata: { name, namespace, annotations: withDisplayName(undefined, name, given.name) },
        spec: await changedTask(call, {}, given),
      })) as TaskObject;
      const id = await call.services.ids.idOf("task", { namespace, name });
      return Response.json(await taskViewer(call)(id, object), { status: 201 });
    },
  }),
  route({
    method: "GET",
    path: `${PATH}/:id`,
    summary: "One task",
    tag,
    asked: { verb: "get", kind: SYNC_TASKS },
    of: "task",
    status: 200,
    answer: taskView,
    async handle(call) {
      const object = await targetObject<SyncTaskSpec, SyncTaskStatus>(call, SYNC_TASKS);
      return Response.json(await taskViewer(call)(call.id, object));
    },
  }),
  route({
    method: "PUT",
    path: `${PATH}/:id`,
    summary: "Changes what is given, and nothing else",
    tag,
    asked: { verb: "update", kind: SYNC_TASKS },
    of: "task",
    body: taskChange,
    status: 200,
    answer: taskView,
    failures: { 409: "There is another one of the new name." },
    async handle(call, _query, given) {
      const { namespace, name } = call;
      const current = await targetObject<SyncTaskSpec, SyncTaskStatus>(call, SYNC_TASKS);
      const display = given.name ?? displayName(current.metadata);
      if (display !== displayName(current.metadata)) await checkDisplayName(call, SYNC_TASKS, display);
      const flat = await givenRules(call, given);
      const object = (await call.client.update<WantedTask, SyncTaskStatus>(
        SYNC_TASKS,
        { namespace, name },
        (before) => ({
          ...before,
          metadata: { ...before.metadata, annotations: withDisplayName(before.metadata.annotations, name, display) },
          spec: merged(before.spec ?? {}, given, flat),
        }),
      )) as TaskObject;
      return Response.json(await taskViewer(call)(call.id, object));
    },
  }),
  route({
    method: "DELETE",
    path: `${PATH}/:id`,
    summary: "Removes a task, and stops its run",
    tag,
    asked: { verb: "delete", kind: SYNC_TASKS },
    of: "task",
    status: 200,
    answer: message,
    async handle(call) {
      await call.client.delete(SYNC_TASKS, call);
      return Response.json({ message: "task deleted" });
    },
  }),
  route({
    method: "POST",
    path: `${PATH}/:id/run`,
    summary: "Runs the task now",
    tag,
    asked: { verb: "create", kind: SYNC_TASKS, subresource: "run" },
    of: "task",
    body: runOptions,
    status: 200,
    answer: z.object({ message: z.string(), execution_id: z.int() }),
    failures: { 409: "It runs already, or nothing failed." },
    async handle(call, _query, { dry_run: dryRun, only_failed: onlyFailed, tags }) {
      const body = { dryRun, onlyFailed, ...(tags === undefined ? {} : { tags }) };
      const run = started.parse(await call.connect(SYNC_TASKS, call.name, "run", { method: "POST", body }));
      return Response.json({ message: "task started", execution_id: run.spec.id });
    },
  }),
  route({
    method: "POST",
    path: `${PATH}/:id/stop`,
    summary: "Stops the run of the task within seconds",
    tag,
    asked: { verb: "create", kind: SYNC_TASKS, subresource: "stop" },
    of: "task",
    status: 200,
    answer: message,
    failures: { 409: "It does not run." },
    async handle(call) {
      await call.connect(SYNC_TASKS, call.name, "stop", { method: "POST" });
      return Response.json({ message: "task stopped" });
    },
  }),
  route({
    method: "GET",
    path: `${PATH}/:id/preview`,
    summary: "What a run would do, without doing it",
    tag,
    asked: { verb: "get", kind: SYNC_TASKS, subresource: "preview" },
    of: "task",
    query: previewQuery,
    status: 200,
    answer: preview,
    failures: { 503: "A registry cannot be read." },
    async handle(call, { limit }) {
      const how = { method: "GET", query: `?limit=${limit}` } as const;
      return Response.json(preview.parse(await call.connect(SYNC_TASKS, call.name, "preview", how)));
    },
  }),
];

async function changedTask(call: RestCall, spec: WantedTask, given: TaskChange): Promise<WantedTask> {
  return merged(spec, given, await givenRules(call, given));
}

/** The rules that are given are merged first; what the other fields say wins. */
function merged(
  spec: WantedTask,
  { rules, description }: TaskChange,
  flat: Awaited<ReturnType<typeof givenRules>>,
): WantedTask {
  const base = rules === undefined ? spec : (applyMergePatch(spec, rules) as WantedTask);
  // What is written back as it was read is no change, also beside rules that are one.
  const before = rules === undefined ? flat : differing(flatRules(spec), flat);
  const { description: _old, ...others } = withFlatRules(base, before);
  const text = description ?? spec.description ?? "";
  return { ...others, ...(text === "" ? {} : { description: text }) };
}
