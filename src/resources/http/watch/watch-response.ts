import { StatusError } from "../../status-error.ts";
import type { WatchFrame } from "../../storage/storage.ts";
import type { WatchPresenter } from "./watch-presenter.ts";

/** How long a watch lives when the client does not say: half an hour to an hour, so that not all end at once. */
const LIFETIME_SECONDS = 30 * 60;

/** How often a watcher that asked for it is told how far it has seen, in milliseconds. */
const BOOKMARK_MS = 60_000;

/**
 * What is written while nothing happens: without a write, the runtime does not notice that a client has gone. It is no
 * line of its own, since clients take an empty line for a change that is no JSON; space before a value is nothing. After
 * the last value, some would read it as a value that ends too early. So a watch whose client neither knows bookmarks, of
 * which the last one ends the line, nor leaves to us when it ends, has none: it is over soon enough.
 */
const PADDING = " ";

/** How frames are shown. */
export interface WatchOptions {
  readonly bookmarks: boolean;
  /** Begins with the objects there are, and marks where they end. */
  readonly initialEvents: boolean;
  readonly timeoutSeconds: number | undefined;
  /** Whether the watch has lived for long enough: it ends after a line, so that no padding is left without one. */
  readonly over: () => boolean;
  /** Whether the server is about to stop. */
  readonly stopping: () => boolean;
  /** @throws {StatusError} when the watcher may not watch any more */
  readonly checkRights: () => Promise<void>;
  readonly present: WatchPresenter;
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
  const { bookmarks, timeoutSeconds } = options;
  const pads = bookmarks || timeoutSeconds === undefined || timeoutSeconds > LIFETIME_SECONDS;
  let padded = false;
  let reached: string | undefined;
  try {
    for await (const frame of frames) {
      await options.checkRights();
      if (frame.type !== "BOOKMARK") {
        yield line(frame.type, options.present.object(frame.object));
        padded = false;
        continue;
      }
      reached = frame.resourceVersion;
      if (options.stopping() || (options.over() && !padded)) break;
      const isDue = initial || options.over() || Date.now() - marked >= BOOKMARK_MS;
      if (!bookmarks || !isDue) {
        padded = pads;
        if (pads) yield PADDING;
        continue;
      }
      padded = false;
      marked = Date.now();
      yield line("BOOKMARK", options.present.bookmark(reached, initial));
      initial = false;
    }
    if (padded && bookmarks && reached !== undefined) {
      yield line("BOOKMARK", options.present.bookmark(reached, initial));
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
    for await (const text of lines) if (text !== PADDING) socket.send(text.trimEnd());
    socket.close(1000, "the watch has ended");
  } catch {
    socket.close(1011, "the watch failed");
  }
}

function line(type: string, object: unknown): string {
  return `${JSON.stringify({ type, object })}\n`;
}
