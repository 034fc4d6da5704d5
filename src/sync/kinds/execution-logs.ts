import { badRequest } from "../../resources/index.ts";
import {
  type ExecutionStore,
  isActive,
  type LogStore,
  type StoredExecution,
  type StoredLogLine,
} from "../store/index.ts";
import { pause } from "./execution-watch.ts";

/** What reading logs needs. */
export interface ExecutionLogPorts {
  readonly executions: Pick<ExecutionStore, "get">;
  readonly logs: LogStore;
  /** How often new lines are looked for, in milliseconds; a second unless given. */
  readonly pollInterval?: number;
}

const PAGE = 1000;
const MAX_PAGE = 10_000;
const POLL_MS = 1000;
/** A Worker may call its database only so often for one request. */
const MAX_POLLS = 400;

/**
 * The log of a run, as text or, if asked for, as JSON: `?offset`, `?limit`, `?after=<id>`, and `?follow=true` for text
 * that goes on until the run ends.
 * @throws {StatusError} BadRequest
 */
export async function executionLogs(
  ports: ExecutionLogPorts,
  run: StoredExecution,
  request: Request,
): Promise<Response> {
  const query = new URL(request.url).searchParams;
  const page = {
    offset: wholeNumber(query, "offset", 0, Number.MAX_SAFE_INTEGER),
    limit: wholeNumber(query, "limit", PAGE, MAX_PAGE),
    after: wholeNumber(query, "after", 0, Number.MAX_SAFE_INTEGER),
  };
  if (query.get("follow") === "true") return follow(ports, run, page.after);
  const lines = await ports.logs.list(run.id, page);
  if (wantsJson(request)) {
    const items = lines.map(({ id, at, level, message }) => ({ id, time: new Date(at).toISOString(), level, message }));
    return Response.json({ items, total: await ports.logs.total(run.id) }, { headers: NO_STORE });
  }
  return new Response(lines.map(textOf).join(""), { headers: { ...NO_STORE, "content-type": TEXT } });
}

const NO_STORE = { "cache-control": "no-store" };
const TEXT = "text/plain; charset=utf-8";

/** kubectl asks for JSON and anything else: text is for those who name no JSON, and for kubectl by `?format=text`. */
function wantsJson(request: Request): boolean {
  const format = new URL(request.url).searchParams.get("format");
  if (format !== null) return format === "json";
  return request.headers.get("accept")?.includes("application/json") === true;
}

function textOf({ at, level, message }: StoredLogLine): string {
  return `${new Date(at).toISOString()} ${level.toUpperCase().padEnd(5)} ${message.replaceAll(/[\r\n]+/g, " ")}\n`;
}

function follow({ executions, logs, pollInterval = POLL_MS }: ExecutionLogPorts, run: StoredExecution, from: number) {
  const end = new AbortController();
  const encoder = new TextEncoder();
  let after = from;
  let polls = 0;
  let isOver = !isActive(run);
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      while (!end.signal.aborted) {
        const lines = await logs.list(run.id, { after, limit: PAGE });
        const last = lines.at(-1);
        if (last !== undefined) {
          after = last.id;
          controller.enqueue(encoder.encode(lines.map(textOf).join("")));
          return;
        }
        polls += 1;
        if (isOver || polls > MAX_POLLS) break;
        await pause(pollInterval, end.signal);
        const now = await executions.get(run.id);
        // Lines that were written before the end are read once more.
        isOver = now === undefined || !isActive(now);
      }
      if (!end.signal.aborted) controller.close();
    },
    cancel: () => end.abort(),
  });
  return new Response(body, { headers: { ...NO_STORE, "content-type": TEXT, "content-encoding": "identity" } });
}

/** @throws {StatusError} BadRequest */
function wholeNumber(query: URLSearchParams, name: string, fallback: number, maximum: number): number {
  const text = query.get(name);
  if (text === null || text === "") return fallback;
  const number = Number(text);
  if (!/^[0-9]{1,15}$/.test(text) || number > maximum) throw badRequest(`${name}: must be 0 to ${maximum}`);
  return number;
}
