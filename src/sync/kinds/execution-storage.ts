import {
  badRequest,
  conflict,
  decodeContinue,
  type DeleteOptions,
  encodeContinue,
  type ListPage,
  type ListQuery,
  matchesFields,
  matchesLabels,
  notFound,
  type ObjectRef,
  type RequestContext,
  type Storage,
  StatusError,
} from "../../resources/index.ts";
import {
  executionName,
  type ExecutionQuery,
  type ExecutionStore,
  isActive,
  type ItemStore,
  parseExecutionName,
  type StoredExecution,
} from "../store/index.ts";
import { executionObject, TASK_LABEL } from "./execution.ts";
import { type ExecutionWatchPorts, watchExecutions } from "./execution-watch.ts";
import { EXECUTIONS } from "./names.ts";

/** Failed items that an object tells of. */
const MAX_FAILED = 20;
/** Rows read at a time. */
const BATCH = 500;

/** What reading runs needs. */
export interface ExecutionPorts extends Omit<ExecutionWatchPorts, "executions"> {
  readonly executions: ExecutionStore;
  readonly items: ItemStore;
}

type Selection = Pick<ListQuery, "namespace" | "labels" | "fields">;

/** Runs of tasks as objects: nothing is stored for them but the runs. */
export function executionStorage(ports: ExecutionPorts): Required<Pick<Storage, "get" | "list" | "delete" | "watch">> {
  const { executions, items } = ports;
  return {
    async get(_context, ref) {
      const run = await findExecution(executions, ref);
      return executionObject(run, run.itemsFailed === 0 ? [] : await items.failed(run.id, MAX_FAILED));
    },
    list: (_context, query) => list(executions, query),
    delete: (context, ref, options) => remove(executions, context, ref, options),
    watch: (_context, query) => watchExecutions(ports, query, executionQuery(query)),
  };
}

/** The run that an object of this name is of. @throws {StatusError} NotFound */
export async function findExecution(
  executions: ExecutionStore,
  { namespace, name }: ObjectRef,
): Promise<StoredExecution> {
  const parsed = parseExecutionName(name);
  const run = parsed === undefined ? undefined : await executions.get(parsed.id);
  if (run === undefined || run.namespace !== namespace || executionName(run) !== name) throw notFound(EXECUTIONS, name);
  return run;
}

/** The newest first. @throws {StatusError} BadRequest, Expired */
async function list(executions: ExecutionStore, query: ListQuery): Promise<ListPage> {
  if (query.source !== "current") throw badRequest(`executions keep no ${query.source}`);
  if (query.resourceVersionMatch === "Exact") {
    throw new StatusError("Expired", "executions can only be listed as they are now");
  }
  const token = query.continue === undefined ? undefined : decodeContinue(query.continue);
  let before = token === undefined ? undefined : parseExecutionName(token.name)?.id;
  if (token !== undefined && before === undefined) throw badRequest("continue key is not valid");
  // Read before the rows: a watch that begins here sees what comes between a second time, and misses nothing.
  const rv = token?.rv ?? (await executions.version()).rv;
  const resourceVersion = String(rv);
  const wanted = executionQuery(query);
  if (wanted === undefined) return { items: [], resourceVersion };
  const found: StoredExecution[] = [];
  // One more than wanted, to know whether there is one.
  while (found.length <= query.limit) {
    const size = Math.min(BATCH, query.limit + 1);
    const rows = await executions.list({ ...wanted, ...(before === undefined ? {} : { before }) }, size);
    found.push(...rows.filter((run) => isSelected(run, query)));
    before = rows.at(-1)?.id;
    if (rows.length < size) break;
  }
  const page = found.slice(0, query.limit);
  const result = { items: page.map((run) => executionObject(run)), resourceVersion };
  const last = page.at(-1);
  if (found.length <= query.limit || last === undefined) return result;
  return { ...result, continue: encodeContinue({ rv, namespace: last.namespace, name: executionName(last) }) };
}

/** Whether a run is what selectors ask for. */
function isSelected(run: StoredExecution, { labels, fields }: Selection): boolean {
  const object = executionObject(run);
  return matchesLabels(object.metadata.labels, labels) && matchesFields(object, fields);
}

/**
 * As much of a selection as an index can answer; the rest is looked at row by row. `undefined` if nothing can match. It
 * says nothing of the state, which changes: a watch has to see also what no longer matches.
 */
export function executionQuery({ namespace, labels, fields }: Selection): ExecutionQuery | undefined {
  const equal = new Map(fields.flatMap(({ path, operator, value }) => (operator === "=" ? [[path, value]] : [])));
  const name = equal.get("metadata.name");
  const named = name === undefined ? undefined : parseExecutionName(name);
  if (name !== undefined && named === undefined) return undefined;
  const [label] = labels.flatMap((wanted) =>
    wanted.operator === "in" && wanted.key === TASK_LABEL && wanted.values.length === 1 ? wanted.values : [],
  );
  const within = namespace ?? equal.get("metadata.namespace");
  const task = equal.get("spec.task") ?? label;
  return {
    ...(within === undefined ? {} : { namespace: within }),
    ...(task === undefined ? {} : { task }),
    ...(named === undefined ? {} : { id: named.id }),
  };
}

/** @throws {StatusError} NotFound, Conflict if it has not ended */
async function remove(
  executions: ExecutionStore,
  context: RequestContext,
  ref: ObjectRef,
  { preconditions }: DeleteOptions,
) {
  const { name } = ref;
  const run = await findExecution(executions, ref);
  const object = executionObject(run);
  const { uid, resourceVersion } = object.metadata;
  const isMeant =
    (preconditions?.uid ?? uid) === uid && (preconditions?.resourceVersion ?? resourceVersion) === resourceVersion;
  if (!isMeant) throw conflict(EXECUTIONS, name);
  if (isActive(run)) throw stillRuns(name);
  if (!context.dryRun && !(await executions.remove(run.id))) throw notFound(EXECUTIONS, name);
  return { object, gone: true };
}

function stillRuns(name: string): StatusError {
  const details = { name, group: EXECUTIONS.group, kind: EXECUTIONS.plural };
  return new StatusError("Conflict", `the execution "${name}" has not ended: stop it first`, details);
}
