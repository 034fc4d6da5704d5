import type { ServedKind } from "../kind.ts";
import type { ResourceObject } from "../object.ts";
import { apiVersionOf } from "../kind.ts";
import { StatusError } from "../status-error.ts";
import type { WatchFrame } from "../storage.ts";

/** How long a watch lives when the client does not say: half an hour to an hour, so that not all end at once. */
const LIFETIME_SECONDS = 30 * 60;

/** How often a watcher that asked for it is told how far it has seen, in milliseconds. */
const BOOKMARK_MS = 60_000;

/** How frames are shown. */
export interface WatchOptions {
  readonly kind: ServedKind;
  readonly bookmarks: boolean;
  /** Begins with the objects there are, and marks where they end. */
  readonly initialEvents: boolean;
  readonly timeoutSeconds: number | undefined;
  /** Whether the server is about to stop. */
  readonly stopping: () => boolean;
  /** Whether the watcher may still watch. */
  readonly mayGoOn: () => Promise<boolean>;
  /** An object as the client wants it, such as a row of a table. */
  readonly present: (object: ResourceObject) => unknown;
}

/** How long this watch lives, in milliseconds. */
export function watchLifetime(options: Pick<WatchOptions, "timeoutSeconds">, random: () => number): number {
  return (options.timeoutSeconds ?? Math.floor(LIFETIME_SECONDS * (1 + random()))) * 1000;
}

/** The lines of a watch: `{"type","object"}` each. Ends with an `ERROR` line if the watch fails. */
export async function* watchLines(
  frames: AsyncIterable<WatchFrame>,
  options: WatchOptions,
): AsyncGenerator<string, void> {
  let marked = 0;
  let initial = options.initialEvents;
  try {
    for await (const frame of frames) {
      if (!(await options.mayGoOn())) return;
      if (frame.type !== "BOOKMARK") {
        yield line(frame.type, options.present(frame.object));
        continue;
      }
      if (options.stopping()) return;
      if (!options.bookmarks || (!initial && Date.now() - marked < BOOKMARK_MS)) {
        // Clients skip it; without a write, the runtime does not notice that a client has gone.
        yield "\n";
        continue;
      }
      marked = Date.now();
      yield line("BOOKMARK", bookmark(options.kind, frame.resourceVersion, initial));
      initial = false;
    }
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    yield line("ERROR", error.toStatus());
  }
}

/** A watch as a streamed answer. */
export function watchStream(lines: AsyncGenerator<string, void>, end: () => void): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await lines.next();
      if (next.done) controller.close();
      else controller.enqueue(encoder.encode(next.value));
    },
    async cancel() {
      end();
      await lines.return();
    },
  });
  return new Response(body, {
    headers: {
      "content-type": "application/json;stream=watch",
      // A compressor would hold lines back until its window is full.
      "content-encoding": "identity",
      "cache-control": "no-cache, private, no-transform",
    },
  });
}

/** A watch over a WebSocket: a message for each line. */
export function watchSocket(lines: AsyncGenerator<string, void>, end: () => void): Response {
  const [client, server] = Object.values(new WebSocketPair());
  if (client === undefined || server === undefined) throw new Error("no WebSocketPair");
  server.accept();
  server.addEventListener("close", end);
  server.addEventListener("error", end);
  void send(lines, server);
  return new Response(null, { status: 101, webSocket: client });
}

async function send(lines: AsyncGenerator<string, void>, socket: WebSocket): Promise<void> {
  try {
    for await (const text of lines) if (text !== "\n") socket.send(text.trimEnd());
    socket.close(1000, "the watch has ended");
  } catch {
    socket.close(1011, "the watch failed");
  }
}

function line(type: string, object: unknown): string {
  return `${JSON.stringify({ type, object })}\n`;
}

function bookmark(kind: ServedKind, resourceVersion: string, endsInitial: boolean): unknown {
  const annotations = endsInitial ? { annotations: { "k8s.io/initial-events-end": "true" } } : {};
  return {
    kind: kind.kind,
    apiVersion: apiVersionOf(kind),
    metadata: { resourceVersion, creationTimestamp: null, ...annotations },
  };
}
