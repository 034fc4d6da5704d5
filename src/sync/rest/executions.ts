import * as z from "zod";
import { EXECUTIONS, SYNC_TASKS, type SyncTaskSpec, type SyncTaskStatus } from "../kinds/index.ts";
import {
  type ExecutionQuery,
  type ExecutionState,
  isActive,
  LOG_LEVELS,
  type StoredExecution,
  type StoredLogLine,
} from "../store/index.ts";
import { executionView, STATES_OF, viewExecution } from "./execution-view.ts";
import { namespacesOf } from "./objects.ts";
import { invalidField, RestFault } from "./rest-fault.ts";
import { placed, type RestCall, type RestRoute, route } from "./route.ts";
import { taskView } from "./task-schemas.ts";
import { taskViewer } from "./task-view.ts";

const PATH = "/api/v1/executions";
const tag = "executions";
const message = z.object({ message: z.string() });
const started = z.object({ spec: z.object({ id: z.int() }) });
/** Log lines that come with an execution. */
const EMBEDDED_LOGS = 1000;

const count = (fallback: number, minimum: number, maximum: number) =>
  z.coerce.number().int().min(minimum).max(maximum).default(fallback);

const logLine = z.object({
  id: z.int(),
  execution_id: z.int(),
  level: z.enum(LOG_LEVELS),
  message: z.string(),
  timestamp: z.string(),
});

const listQuery = placed.extend({
  limit: count(50, 1, 1000),
  offset: count(0, 0, 1_000_000),
  task_id: z.coerce.number().int().min(1).optional().describe("Only those of a task."),
  status: z
    .enum(Object.keys(STATES_OF) as [string, ...string[]])
    .optional()
    .describe("Only those in a state."),
});
const logQuery = placed.extend({
  limit: count(1000, 1, 10_000),
  offset: count(0, 0, 10_000_000),
  level: z.enum(LOG_LEVELS).optional().describe("Only lines of this level and those above it."),
});

/** Runs as numbered resources. */
export const EXECUTION_ROUTES: readonly RestRoute[] = [
  route({
    method: "GET",
    path: PATH,
    summary: "Runs, the newest first; `X-Total-Count` has how many there are in all",
    tag,
    asked: { verb: "list", kind: EXECUTIONS },
    query: listQuery,
    status: 200,
    answer: z.array(executionView),
    async handle(call, { limit, offset, task_id: taskId, status }) {
      const { executions } = call.services;
      const query = await queryOf(call, taskId, status);
      const runs = query === undefined ? [] : await executions.list(query, limit, offset);
      const totals = query === undefined ? {} : await executions.totals(query);
      const total = Object.values(totals).reduce((sum, number) => sum + number, 0);
      const views = await viewsOf(call, runs);
      return Response.json(views, { headers: { "x-total-count": String(total) } });
    },
  }),
  route({
    method: "GET",
    path: `${PATH}/:id`,
    summary: "One run, with its task and the beginning of its log",
    tag,
    asked: { verb: "get", kind: EXECUTIONS },
    of: "execution",
    status: 200,
    answer: executionView.extend({ task: taskView.nullable(), logs: z.array(logLine) }),
    async handle(call) {
      const run = await runOf(call);
      const [view] = await viewsOf(call, [run]);
      const lines = (await call.may({ verb: "get", kind: EXECUTIONS, subresource: "logs" }, call.namespace, call.name))
        ? await call.services.logs.list(run.id, { limit: EMBEDDED_LOGS })
        : [];
      return Response.json({ ...view, task: await taskOf(call, run), logs: lines.map(viewLine) });
    },
  }),
  route({
    method: "GET",
    path: `${PATH}/:id/logs`,
    summary: "The log of a run, the oldest first; `X-Total-Count` has how many lines there are in all",
    tag,
    asked: { verb: "get", kind: EXECUTIONS, subresource: "logs" },
    of: "execution",
    query: logQuery,
    status: 200,
    answer: z.array(logLine),
    async handle(call, { limit, offset, level }) {
      const { logs } = call.services;
      const lines = await logs.list(call.id, { limit, offset, level });
      const total = await logs.total(call.id, level);
      return Response.json(lines.map(viewLine), { headers: { "x-total-count": String(total) } });
    },
  }),
  route({
    method: "POST",
    path: `${PATH}/:id/stop`,
    summary: "Stops a run within seconds",
    tag,
    asked: { verb: "create", kind: EXECUTIONS, subresource: "stop" },
    of: "execution",
    status: 200,
    answer: message,
    failures: { 409: "It has ended." },
    async handle(call) {
      await call.connect(EXECUTIONS, call.name, "stop", { method: "POST" });
      return Response.json({ message: "execution stopped" });
    },
  }),
  route({
    method: "POST",
    path: `${PATH}/:id/retry`,
    summary: "Runs what failed once more, and nothing else",
    tag,
    asked: { verb: "create", kind: EXECUTIONS, subresource: "retry" },
    of: "execution",
    status: 200,
    answer: z.object({ message: z.string(), execution_id: z.int() }),
    failures: { 409: "It has not ended, or nothing of it failed." },
    async handle(call) {
      const run = started.parse(await call.connect(EXECUTIONS, call.name, "retry", { method: "POST" }));
      return Response.json({ message: "execution retried", execution_id: run.spec.id });
    },
  }),
  route({
    method: "DELETE",
    path: `${PATH}/:id`,
    summary: "Removes a run that has ended, with its log",
    tag,
    asked: { verb: "delete", kind: EXECUTIONS },
    of: "execution",
    status: 200,
    answer: message,
    failures: { 409: "It has not ended." },
    async handle(call) {
      if (isActive(await runOf(call))) throw new RestFault(409, "the execution has not ended: stop it first");
      await call.client.delete(EXECUTIONS, call);
      return Response.json({ message: "execution deleted" });
    },
  }),
];

/** What to read; `undefined` if nothing can match. */
async function queryOf(
  call: RestCall,
  taskId: number | undefined,
  status: string | undefined,
): Promise<ExecutionQuery | undefined> {
  const states = status === undefined ? {} : { states: STATES_OF[status] as readonly ExecutionState[] };
  if (taskId === undefined) {
    const namespaces = await namespacesOf(call, EXECUTIONS);
    return { ...states, ...(namespaces === undefined ? {} : { namespaces }) };
  }
  const task = await call.services.ids.find("task", taskId);
  if (task === undefined) return undefined;
  const isAllowed = await call.may({ verb: "list", kind: EXECUTIONS }, task.namespace);
  if (!isAllowed) throw invalidField("task_id", `there is no task ${taskId}`);
  return { ...states, namespace: task.namespace, task: task.name };
}

async function viewsOf(call: RestCall, runs: readonly StoredExecution[]) {
  const tasks = runs.map(({ namespace, task }) => ({ namespace, name: task }));
  const ids = await call.services.ids.idsOf("task", tasks);
  return runs.map((run, index) => viewExecution(run, ids[index] ?? 0));
}

/** @throws {RestFault} 404 */
async function runOf({ services, id }: RestCall): Promise<StoredExecution> {
  const run = await services.executions.get(id);
  if (run === undefined) throw new RestFault(404, `there is no execution ${id}`);
  return run;
}

/** The task of a run, if it is still that one and may be read. */
async function taskOf(call: RestCall, { namespace, task, taskUid }: StoredExecution) {
  if (!(await call.may({ verb: "get", kind: SYNC_TASKS }, namespace, task))) return null;
  const object = await call.client.find<SyncTaskSpec, SyncTaskStatus>(SYNC_TASKS, { namespace, name: task });
  if (object?.metadata.uid !== taskUid) return null;
  return taskViewer(call)(await call.services.ids.idOf("task", { namespace, name: task }), object);
}

function viewLine({ id, execution, level, message: text, at }: StoredLogLine): z.infer<typeof logLine> {
  return { id, execution_id: execution, level, message: text, timestamp: new Date(at).toISOString() };
}
