import { matchesFields, matchesLabels, StatusError, type WatchFrame, type WatchQuery } from "../../resources/index.ts";
import type { ExecutionQuery, ExecutionStore, StoredExecution } from "../store/index.ts";
import { executionObject } from "./execution.ts";

/** What watching runs needs. */
export interface ExecutionWatchPorts {
  readonly executions: Pick<ExecutionStore, "version" | "changedSince" | "list">;
  /** How often a watch looks for changes, in milliseconds; a second unless given. */
  readonly pollInterval?: number;
}

const POLL_MS = 1000;
/** A Worker may call its database 1,000 times for one request: a watch ends before, and clients begin another. */
const MAX_POLLS = 400;
/** Rows read at a time. */
const BATCH = 500;

/**
 * Changes of runs, found by looking for versions higher than the last. Each object comes as it is now: what changes twice
 * between two looks is told once.
 * @param wanted what an index knows of the selection, without what changes; `undefined` if nothing can match
 * @throws {StatusError} Expired
 */
export async function* watchExecutions(
  { executions, pollInterval = POLL_MS }: ExecutionWatchPorts,
  query: WatchQuery,
  wanted: ExecutionQuery | undefined,
): AsyncGenerator<WatchFrame, void> {
  const { rv, pruned } = await executions.version();
  const watcher = new Selected(query);
  let seen = query.since;
  if (seen === 0) {
    for (const run of wanted === undefined ? [] : await allOf(executions, wanted)) yield* watcher.present(run);
    seen = rv;
  } else if (seen < pruned) {
    throw new StatusError("Expired", `too old resource version: ${seen} (${pruned})`);
  }
  for (let polls = 0; polls < MAX_POLLS && !query.signal.aborted; polls += 1) {
    const latest = (await executions.version()).rv;
    if (latest > seen && wanted !== undefined) {
      for (const run of await changesOf(executions, wanted, seen)) yield* watcher.changed(run, query.since);
    }
    // What is not of the selection was seen as well.
    seen = Math.max(seen, latest);
    yield { type: "BOOKMARK", resourceVersion: String(seen) };
    await pause(pollInterval, query.signal);
  }
}

/** All that changed after a version, deletions included. */
async function changesOf(
  executions: ExecutionWatchPorts["executions"],
  wanted: ExecutionQuery,
  since: number,
): Promise<readonly StoredExecution[]> {
  const runs: StoredExecution[] = [];
  for (;;) {
    const page = await executions.changedSince(runs.at(-1)?.rv ?? since, wanted, BATCH);
    runs.push(...page);
    if (page.length < BATCH) return runs;
  }
}

async function allOf(
  executions: ExecutionWatchPorts["executions"],
  wanted: ExecutionQuery,
): Promise<readonly StoredExecution[]> {
  const runs: StoredExecution[] = [];
  for (;;) {
    const before = runs.at(-1)?.id;
    const page = await executions.list({ ...wanted, ...(before === undefined ? {} : { before }) }, BATCH);
    runs.push(...page);
    if (page.length < BATCH) return runs.toReversed();
  }
}

/** Which of the watched runs the client knows, so that it is told of those that come and go by the selection. */
class Selected {
  readonly #query: WatchQuery;
  readonly #known = new Map<number, boolean>();
  /** Whether a run can come to match, or stop to. */
  readonly #isChanging: boolean;

  constructor(query: WatchQuery) {
    this.#query = query;
    this.#isChanging = query.fields.some(({ path }) => path.startsWith("status."));
  }

  *present(run: StoredExecution): Generator<WatchFrame> {
    const object = executionObject(run);
    const matches = this.#matches(object);
    this.#known.set(run.id, matches);
    if (matches) yield { type: "ADDED", object };
  }

  *changed(run: StoredExecution, since: number): Generator<WatchFrame> {
    const object = executionObject(run);
    const matches = run.deletedAt === null && this.#matches(object);
    // Of a run from before the watch, it is not known whether it matched then; clients do not mind being told twice.
    const isOld = run.createdRv <= since;
    const before = this.#known.get(run.id) ?? (isOld && (matches || this.#isChanging || this.#matches(object)));
    this.#known.set(run.id, matches);
    if (matches) yield { type: before ? "MODIFIED" : "ADDED", object };
    else if (before) yield { type: "DELETED", object };
  }

  #matches(object: ReturnType<typeof executionObject>): boolean {
    const { labels, fields } = this.#query;
    return matchesLabels(object.metadata.labels, labels) && matchesFields(object, fields);
  }
}

/** Waits, or less if the signal is given. */
export function pause(duration: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, duration);
    signal.addEventListener("abort", end);
  });
}
