import type { KindKey } from "../client.ts";
import { type HubMessage, hubName } from "./watch-hub.ts";

/** How long to wait before the first try to reach a hub again, in milliseconds; it doubles up to the maximum. */
const RETRY_MS = 100;
const MAX_RETRY_MS = 5000;

/** How often a watcher hears that nothing happened, in milliseconds: it may have to find out that its client is gone. */
const HEARTBEAT_MS = 5000;

/** A hub speaks with each of its alarms. After this silence, in milliseconds, it is taken for lost. */
const SILENCE_MS = 35_000;

/**
 * What a watcher hears: changes; that some may have been missed, so that it has to look for itself; or that all is
 * quiet.
 */
export type HubSignal = HubMessage | "look" | "quiet";

/** A watcher's side of a hub: connects, and connects again whenever the hub is lost. */
export class HubConnection {
  readonly #namespace: DurableObjectNamespace;
  readonly #kind: KindKey;
  readonly #signal: AbortSignal;
  readonly #queue: HubSignal[] = [];
  #wake: (() => void) | undefined;
  #connected = false;

  /** @param signal ends the connection */
  constructor(namespace: DurableObjectNamespace, kind: KindKey, signal: AbortSignal) {
    this.#namespace = namespace;
    this.#kind = kind;
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#wake?.());
    void this.#run();
  }

  /** The next signal, or `undefined` when the watch has ended. */
  async next(): Promise<HubSignal | undefined> {
    for (;;) {
      if (this.#signal.aborted) return undefined;
      const signal = this.#queue.shift();
      if (signal !== undefined) return signal;
      const woken = await new Promise<boolean>((resolve) => {
        const heartbeat = setTimeout(() => resolve(false), HEARTBEAT_MS);
        this.#wake = () => {
          clearTimeout(heartbeat);
          resolve(true);
        };
      });
      // While there is no hub, nobody tells.
      if (!woken) return this.#connected ? "quiet" : "look";
    }
  }

  async #run(): Promise<void> {
    let delay = RETRY_MS;
    while (!this.#signal.aborted) {
      const wasConnected = await this.#connect();
      delay = wasConnected ? RETRY_MS : Math.min(delay * 2, MAX_RETRY_MS);
      if (!this.#signal.aborted) await new Promise((resolve) => setTimeout(resolve, delay));
    }
  }

  /** Resolves when the connection has ended: whether there was one. */
  async #connect(): Promise<boolean> {
    const name = hubName(this.#kind);
    try {
      // A stub is of no use after its object failed once.
      const stub = this.#namespace.get(this.#namespace.idFromName(name));
      const response = await stub.fetch(`http://watch-hub/?kind=${encodeURIComponent(name)}`, {
        headers: { upgrade: "websocket" },
      });
      const socket = response.webSocket;
      if (socket === null) return false;
      socket.accept();
      this.#connected = true;
      await this.#listen(socket);
      return true;
    } catch {
      return false;
    } finally {
      this.#connected = false;
    }
  }

  async #listen(socket: WebSocket): Promise<void> {
    const ended = new AbortController();
    const end = () => ended.abort();
    const done = new Promise<void>((resolve) => ended.signal.addEventListener("abort", () => resolve()));
    let silence = setTimeout(end, SILENCE_MS);
    socket.addEventListener("message", ({ data }) => {
      clearTimeout(silence);
      silence = setTimeout(end, SILENCE_MS);
      if (typeof data === "string") this.#push(JSON.parse(data) as HubMessage);
    });
    socket.addEventListener("close", end);
    socket.addEventListener("error", end);
    this.#signal.addEventListener("abort", end, { signal: ended.signal });
    // The watch may have ended while the hub was called.
    if (this.#signal.aborted) end();
    // What was written before the hub knew of this watcher is in the log.
    this.#push("look");
    await done;
    clearTimeout(silence);
    socket.close(1000);
  }

  #push(signal: HubSignal): void {
    this.#queue.push(signal);
    this.#wake?.();
  }
}
