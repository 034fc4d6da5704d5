import { DurableObject } from "cloudflare:workers";
import type { Log } from "../../platform/index.ts";
import type { KindKey } from "../client.ts";
import type { ResourceStore, StoredEvent } from "../storage/resource-store.ts";

/** How often a hub with watchers looks for changes that it was not told of, in milliseconds. */
const POLL_MS = 10_000;

/** Changes read at a time. */
const BATCH = 500;

/** Longest message, in characters. Whoever has to know more reads it in the log. */
const MAX_MESSAGE = 1024 * 1024;

/** What a hub sends: all changes of its kind after version `after`, up to `upTo`. */
export interface HubMessage {
  readonly after: number;
  readonly upTo: number;
  readonly events: readonly StoredEvent[];
}

/** What a hub works with. */
export interface WatchHubPorts {
  readonly store: ResourceStore;
  readonly log: Log;
}

/**
 * The Durable Object class that tells watchers of one kind what changed. It is poked after each write, reads the
 * change log once, and passes the changes to all watchers; between changes it hibernates. It holds no truth: whoever
 * misses something finds it in the log.
 */
export function watchHubClass<Env>(bind: (env: Env) => WatchHubPorts) {
  return class WatchHub extends DurableObject<Env> {
    readonly #ports: WatchHubPorts;
    /** The version up to which watchers were told, as far as this instance knows. */
    #told: number | undefined;
    #reading: Promise<void> | undefined;
    #next: Promise<void> | undefined;

    constructor(context: DurableObjectState, env: Env) {
      super(context, env);
      this.#ports = bind(env);
    }

    /** A watcher connects. Its address has the hub's name, since an object does not know its own. */
    override async fetch(request: Request): Promise<Response> {
      const kind = hubKind(new URL(request.url).searchParams.get("kind") ?? "");
      await this.ctx.storage.put("kind", kind);
      if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now() + POLL_MS);
      const [client, server] = Object.values(new WebSocketPair());
      if (client === undefined || server === undefined) throw new Error("no WebSocketPair");
      this.ctx.acceptWebSocket(server);
      return new Response(null, { status: 101, webSocket: client });
    }

    /** Something was written, at version `rv`. */
    async poke(rv: number): Promise<void> {
      if (this.ctx.getWebSockets().length === 0) {
        this.#told = undefined;
        return;
      }
      this.#told ??= rv - 1;
      await this.#tell();
    }

    /** Looks for changes without having been poked, and lets watchers know how far they have seen. */
    override async alarm(): Promise<void> {
      if (this.ctx.getWebSockets().length === 0) {
        await this.ctx.storage.deleteAll();
        return;
      }
      await this.ctx.storage.setAlarm(Date.now() + POLL_MS);
      // An instance that does not know what the one before it told leaves it to the watchers to find out.
      this.#told ??= await this.#ports.store.lastVersion();
      this.#broadcast({ after: this.#told, upTo: this.#told, events: [] });
      await this.#tell();
    }

    override webSocketClose(socket: WebSocket, code: number): void {
      socket.close(code === 1005 || code === 1006 ? 1000 : code);
    }

    override webSocketError(socket: WebSocket, error: unknown): void {
      this.#ports.log.debug("watch-hub.socket-failed", { error });
      socket.close(1011);
    }

    /** Reads and tells what is new. Callers that come while that is being done share the next time. */
    #tell(): Promise<void> {
      if (this.#reading === undefined) {
        this.#reading = this.#readAndTell().finally(() => {
          this.#reading = undefined;
        });
        return this.#reading;
      }
      const again = () => {
        this.#next = undefined;
        return this.#tell();
      };
      this.#next ??= this.#reading.then(again, again);
      return this.#next;
    }

    async #readAndTell(): Promise<void> {
      const kind = await this.ctx.storage.get<KindKey>("kind");
      if (kind === undefined || this.#told === undefined) return;
      for (let more = true; more;) {
        const after: number = this.#told;
        const { events, upTo, more: moreFollow } = await this.#ports.store.changes(kind, after, BATCH);
        more = moreFollow;
        this.#told = upTo;
        // Without a change as well: where watchers can resume from moves on with the changes of other kinds.
        if (upTo !== after) this.#broadcast({ after, upTo, events });
      }
    }

    #broadcast(message: HubMessage): void {
      const whole = JSON.stringify(message);
      const { upTo } = message;
      const text = whole.length <= MAX_MESSAGE ? whole : JSON.stringify({ after: upTo, upTo, events: [] });
      for (const socket of this.ctx.getWebSockets()) {
        try {
          socket.send(text);
        } catch (error) {
          this.#ports.log.debug("watch-hub.send-failed", { error });
        }
      }
    }
  };
}

/** The name of a kind's hub. */
export function hubName(kind: KindKey): string {
  return `${kind.group}/${kind.plural}`;
}

function hubKind(name: string): KindKey {
  const slash = name.lastIndexOf("/");
  return { group: name.slice(0, slash), plural: name.slice(slash + 1) };
}
