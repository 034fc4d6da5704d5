import { DurableObject } from "cloudflare:workers";
import type { Clock, Log } from "../../platform/index.ts";
import type { ExecutionCounts, ExecutionStore, LogLine, LogStore } from "../store/index.ts";
import { type Pace, progressEvent, type RunEvent } from "./hub-events.ts";

/** What a hub works with. */
export interface ExecutionHubPorts {
  readonly executions: ExecutionStore;
  readonly logs: LogStore;
  readonly clock: Clock;
  readonly log: Log;
}

/** What happened in a run since the last report. */
export interface RunReport {
  /** To be added to the run's counters. */
  readonly counts?: Partial<ExecutionCounts>;
  readonly lines?: readonly LogLine[];
}

/** What the Worker calls of the hub. */
export interface ExecutionHubCalls {
  /** Takes down what happened. It is in the database, and clients know, within a second. */
  report(execution: number, report: RunReport): Promise<void>;
  /** Writes what is not written yet, and tells clients where the run stands. */
  tell(execution: number): Promise<void>;
}

/** Which runs a client is told of: those of namespaces that it may see, or one of them; absent is all. */
interface Attachment {
  readonly namespaces?: readonly string[];
  readonly execution?: number;
  /** It is told of nothing after that, in milliseconds since the Unix epoch: its rights may have changed. */
  readonly until: number;
}

type Numbered = RunEvent & { readonly seq: number };

/** How often what was reported is written and told, in milliseconds. */
const FLUSH_MS = 1000;
/** How many events are kept for clients that come back. */
const KEPT = 500;
/** Over how long speed is measured, in milliseconds. */
const SPEED_WINDOW = 10_000;

/** For how long a client is told of what it might see when it came, in milliseconds. */
const LIFETIME = 3_600_000;
/** "Try again later". @see IANA, WebSocket Close Code Number Registry */
const TRY_AGAIN = 1013;

const PREFIX = "event:";
const keyOf = (seq: number) => `${PREFIX}${String(seq).padStart(12, "0")}`;

interface Pending {
  counts: Partial<Record<keyof ExecutionCounts, number>>;
  lines: LogLine[];
}

/**
 * The Durable Object class that folds what runs report, writes it, and tells clients over hibernating WebSockets. There
 * is one for all. The truth is in the database; the latest events are kept for clients that come back.
 */
export function executionHubClass<Env>(bind: (env: Env) => ExecutionHubPorts) {
  return class ExecutionHub extends DurableObject<Env> implements ExecutionHubCalls {
    readonly #ports: ExecutionHubPorts;
    readonly #pending = new Map<number, Pending>();
    readonly #bytes = new Map<number, { at: number; bytes: number }[]>();
    #willFlush = false;
    #flushing: Promise<void> = Promise.resolve();
    #events: Numbered[] | undefined;

    constructor(context: DurableObjectState, env: Env) {
      super(context, env);
      this.#ports = bind(env);
      context.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    }

    /** A client connects. Whose runs it may see was decided by the Worker, and is in the address. */
    override async fetch(request: Request): Promise<Response> {
      const query = new URL(request.url).searchParams;
      const named = query.get("namespaces");
      const execution = query.get("execution");
      const attachment: Attachment = {
        ...(named === null ? {} : { namespaces: JSON.parse(named) as readonly string[] }),
        ...(execution === null ? {} : { execution: Number(execution) }),
        until: this.#ports.clock() + LIFETIME,
      };
      const [client, server] = Object.values(new WebSocketPair());
      if (client === undefined || server === undefined) throw new Error("no WebSocketPair");
      const events = await this.#kept();
      this.ctx.acceptWebSocket(server);
      server.serializeAttachment(attachment);
      const since = query.get("since");
      const missed = since === null ? [] : events.filter(({ seq }) => seq > Number(since));
      const [seq, oldest] = [events.at(-1)?.seq ?? 0, events[0]?.seq ?? 1];
      server.send(JSON.stringify({ type: "hello", seq, oldest }));
      for (const event of missed) if (maySee(attachment, event)) server.send(JSON.stringify(event));
      return new Response(null, { status: 101, webSocket: client });
    }

    async report(execution: number, { counts = {}, lines = [] }: RunReport): Promise<void> {
      const pending = this.#pending.get(execution) ?? { counts: {}, lines: [] };
      this.#pending.set(execution, pending);
      for (const [key, delta] of Object.entries(counts) as [keyof ExecutionCounts, number][]) {
        pending.counts[key] = (pending.counts[key] ?? 0) + delta;
      }
      pending.lines.push(...lines);
      if (this.#willFlush) return;
      this.#willFlush = true;
      setTimeout(() => {
        this.#willFlush = false;
        void this.#flushAll();
      }, FLUSH_MS);
    }

    async tell(execution: number): Promise<void> {
      if (!this.#pending.has(execution)) this.#pending.set(execution, { counts: {}, lines: [] });
      await this.#flushAll();
    }

    override webSocketClose(socket: WebSocket, code: number): void {
      socket.close(code === 1005 || code === 1006 ? 1000 : code);
    }

    override webSocketError(socket: WebSocket, error: unknown): void {
      this.#ports.log.debug("execution-hub.socket-failed", { error });
      socket.close(1011);
    }

    /** One after the other, so that events come in their order. */
    #flushAll(): Promise<void> {
      const before = this.#flushing;
      const flush = async (): Promise<void> => {
        await before;
        for (const [execution, pending] of this.#pending) {
          this.#pending.delete(execution);
          try {
            await this.#flush(execution, pending);
          } catch (error) {
            this.#ports.log.error("execution-hub.flush-failed", { execution, error });
          }
        }
      };
      this.#flushing = flush();
      return this.#flushing;
    }

    async #flush(execution: number, { counts, lines }: Pending): Promise<void> {
      const { executions, logs } = this.#ports;
      await executions.count(execution, counts);
      const written = await logs.append(execution, lines);
      const run = await executions.get(execution);
      if (run === undefined) return;
      const { id, namespace, task } = run;
      const about = { execution_id: id, namespace, task };
      const told: RunEvent[] = written.map(({ id: line, at, level, message }) => {
        return { type: "log", ...about, id: line, time: new Date(at).toISOString(), level, message };
      });
      await this.#tell([
        ...told,
        progressEvent(run, this.#pace(execution, run.bytesTotal - run.bytesCopied, counts.bytesCopied ?? 0)),
      ]);
      if (run.endedAt !== null) this.#bytes.delete(execution);
    }

    #pace(execution: number, left: number, bytes: number): Pace {
      const now = this.#ports.clock();
      const recent = (this.#bytes.get(execution) ?? []).filter(({ at }) => now - at < SPEED_WINDOW);
      recent.push({ at: now, bytes });
      this.#bytes.set(execution, recent);
      const first = recent[0]?.at ?? now;
      const sum = recent.slice(1).reduce((total, sample) => total + sample.bytes, 0);
      const speed = now > first ? (1000 * sum) / (now - first) : 0;
      return { speed, eta: speed > 0 && left > 0 ? Math.ceil(left / speed) : null };
    }

    async #tell(told: readonly RunEvent[]): Promise<void> {
      const events = await this.#kept();
      const numbered = told.map((event, index) => ({ ...event, seq: (events.at(-1)?.seq ?? 0) + index + 1 }));
      const old = events.slice(0, Math.max(0, events.length + numbered.length - KEPT));
      await this.ctx.storage.transaction(async (storage) => {
        for (const event of numbered) await storage.put(keyOf(event.seq), event);
        for (const { seq } of old) await storage.delete(keyOf(seq));
      });
      // Without a pause in between: a client that comes meanwhile is told of an event once.
      events.push(...numbered);
      events.splice(0, old.length);
      for (const socket of this.ctx.getWebSockets()) {
        const attachment = socket.deserializeAttachment() as Attachment;
        if (attachment.until <= this.#ports.clock()) socket.close(TRY_AGAIN, "connect again");
        else for (const event of numbered) if (maySee(attachment, event)) this.#send(socket, event);
      }
    }

    #send(socket: WebSocket, event: Numbered): void {
      try {
        socket.send(JSON.stringify(event));
      } catch (error) {
        this.#ports.log.debug("execution-hub.send-failed", { error });
      }
    }

    async #kept(): Promise<Numbered[]> {
      this.#events ??= [...(await this.ctx.storage.list<Numbered>({ prefix: PREFIX })).values()];
      return this.#events;
    }
  };
}

function maySee({ namespaces, execution }: Attachment, event: RunEvent): boolean {
  if (execution !== undefined && event.execution_id !== execution) return false;
  return namespaces === undefined || namespaces.includes(event.namespace);
}
