import * as z from "zod";
import { type Connecter, notFound, type ObjectRef, type ResourceClient, StatusError } from "../../resources/index.ts";
import { executionName, type ExecutionStore } from "../store/index.ts";
import { executionObject } from "./execution.ts";
import { SYNC_API_VERSION, SYNC_TASKS } from "./names.ts";
import type { RunRefusal, TaskControl } from "./ports.ts";
import { bodyOf } from "./request-body.ts";
import type { SyncTask, SyncTaskSpec, SyncTaskStatus } from "./sync-task.ts";
import { localUses } from "./task-rules.ts";
import { copyText, type MayCopy } from "./writer-rights.ts";

/** Tags that one request may name. */
const MAX_TAGS = 1000;
/** Items that a preview lists, if not told otherwise and at the most. */
const PREVIEW = { usual: 100, most: 1000 };

const tags = z.array(z.string().min(1).max(255)).min(1).max(MAX_TAGS);
// A misspelt wish to copy nothing must not copy.
const runBody = z.strictObject({
  dryRun: z.boolean().default(false),
  onlyFailed: z.boolean().default(false),
  tags: tags.optional(),
});
const previewBody = z.strictObject({
  limit: z.int().min(1).max(PREVIEW.most).default(PREVIEW.usual),
  tags: tags.optional(),
});

/** What the subresources of tasks work with. */
export interface TaskConnecterPorts {
  /** Asked for when it is needed, not before: it may be made after the group. */
  readonly client: () => ResourceClient;
  readonly executions: ExecutionStore;
  readonly control: TaskControl;
  readonly mayCopy: MayCopy;
}

/** `POST …/run`, `POST …/stop` and `GET` or `POST …/preview` of a task. */
export function taskConnecters(ports: TaskConnecterPorts): Connecter[] {
  const { executions, control, client, mayCopy } = ports;
  const taskAt = (ref: ObjectRef) => findTask(client(), ref);

  return [
    {
      subresource: "run",
      description:
        'Runs the task now: `{"dryRun": false, "onlyFailed": false, "tags": ["v1"]}`, all optional. Answers the Execution, or 409 if one runs.',
      methods: ["POST"],
      // It acts with the rights of the task's writer, not of whoever calls.
      usesNothing: true,
      async connect({ identity }, target, request) {
        const task = await taskAt(target);
        const { dryRun, onlyFailed, tags: only } = await bodyOf(request, runBody);
        const [last] = onlyFailed ? await executions.list({ taskUid: task.metadata.uid }, 1) : [];
        const about = onlyFailed ? { onlyFailedOf: failedRun(last, target.name) } : {};
        const options = { cause: onlyFailed ? "retry" : "manual", actor: identity.name, dryRun, ...about } as const;
        const begun = await control.run(task, { ...options, ...(only === undefined ? {} : { tags: only }) });
        if (!begun.ok) throw runRefusal(begun.error, target.name);
        return Response.json(executionObject(begun.value), { status: 201 });
      },
    },
    {
      subresource: "stop",
      description: "Stops the run of the task within seconds. Answers its Execution, or 409 if none runs.",
      methods: ["POST"],
      usesNothing: true,
      async connect(_context, target) {
        const task = await taskAt(target);
        const active = await executions.active(task.metadata.uid);
        const stopped = active === undefined ? undefined : await control.stop(active);
        if (stopped === undefined) throw conflictOf(target.name, "the task does not run");
        return Response.json(executionObject(stopped));
      },
    },
    {
      subresource: "preview",
      description: "What a run would do, without doing it: `?limit=100`, or the same and `tags` in a body.",
      methods: ["GET", "POST"],
      async connect({ identity }, target, request) {
        const task = await taskAt(target);
        // It shows whoever calls what there is, by the task's own rights.
        const hidden = (task.spec === undefined ? [] : localUses(task.spec)).find(
          ({ verb, namespace }) => !mayCopy(identity, verb, namespace),
        );
        if (hidden !== undefined) throw new StatusError("Forbidden", `preview: you may not ${copyText(hidden)}`);
        const { limit, tags: only } = await previewOptions(request);
        const options = { limit, signal: request.signal, ...(only === undefined ? {} : { tags: only }) };
        const found = await control.preview(task, options);
        if (!found.ok) {
          const { reason, message } = found.error;
          throw new StatusError(reason === "invalid" ? "BadRequest" : "ServiceUnavailable", message);
        }
        return Response.json({ kind: "Preview", apiVersion: SYNC_API_VERSION, ...found.value });
      },
    },
  ];
}

/** @throws {StatusError} NotFound */
export async function findTask(client: ResourceClient, ref: ObjectRef): Promise<SyncTask> {
  const task = await client.find<SyncTaskSpec, SyncTaskStatus>(SYNC_TASKS, ref);
  if (task === undefined) throw notFound(SYNC_TASKS, ref.name);
  return task;
}

/** The answer to what was not run. */
export function runRefusal(refusal: RunRefusal, name: string): StatusError {
  if (refusal.reason === "running") {
    return conflictOf(name, `the task runs already: ${executionName(refusal.execution)}`);
  }
  return new StatusError("BadRequest", refusal.message);
}

/** @throws {StatusError} Conflict, if nothing failed */
function failedRun(last: { readonly id: number; readonly itemsFailed: number } | undefined, name: string): number {
  if (last === undefined || last.itemsFailed === 0) throw conflictOf(name, "nothing of the latest run failed");
  return last.id;
}

function conflictOf(name: string, message: string): StatusError {
  return new StatusError("Conflict", message, { name, group: SYNC_TASKS.group, kind: SYNC_TASKS.plural });
}

async function previewOptions(request: Request): Promise<z.infer<typeof previewBody>> {
  if (request.method === "POST") return bodyOf(request, previewBody);
  const limit = new URL(request.url).searchParams.get("limit");
  const parsed = previewBody.safeParse(limit === null ? {} : { limit: Number(limit) });
  if (!parsed.success) throw new StatusError("BadRequest", `limit: must be 1 to ${PREVIEW.most}`);
  return parsed.data;
}
