import { largePieces } from "../large-pieces.ts";
import { RegistryError } from "../registry.ts";
import { CLIENT_LIMITS } from "./limits.ts";
import type { Watch } from "./watch.ts";

/** On workerd a body has a `Content-Length` only if it comes out of one of these. */
const FixedLength: (new (length: number) => TransformStream<Uint8Array, Uint8Array>) | undefined = Reflect.get(
  globalThis,
  "FixedLengthStream",
);

/** The body of a request that is sent as it is read. */
export interface StreamBody {
  readonly stream: ReadableStream<Uint8Array>;
  /** In bytes. */
  readonly length: number;
}

/** A stream on its way to a registry. */
export interface Outgoing {
  readonly stream: ReadableStream<Uint8Array>;
  readonly headers: Readonly<Record<string, string>>;
  /** Why the source ended too early, if it did: the fault is not the receiver's. */
  failure(): unknown;
  /** Lets go of the source if the registry answered before it had it all. */
  release(): void;
}

/** Watches that bytes keep going, and gives the body its length. */
export function outgoing(body: StreamBody, describe: string, watch: Watch): Outgoing {
  const reader = largePieces(body.stream);
  let failure: unknown;
  let ended = false;
  let sent = 0;
  const letGo = reader.cancel;
  watch.expect(CLIENT_LIMITS.stall, "no byte was taken");
  const watched = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) {
            if (sent !== body.length)
              throw new RegistryError("transient", `${describe}: only ${sent} of ${body.length} bytes came to be sent`);
            ended = true;
            controller.close();
            watch.expect(CLIENT_LIMITS.settle, "no answer to the last byte");
            return;
          }
          sent += value.byteLength;
          if (sent > body.length)
            throw new RegistryError("corrupt", `${describe}: more than ${body.length} bytes came to be sent`);
          controller.enqueue(value);
          watch.expect(CLIENT_LIMITS.stall, "no byte was taken");
        } catch (cause) {
          failure = cause;
          ended = true;
          controller.error(cause);
          letGo(cause);
        }
      },
      cancel(reason) {
        ended = true;
        letGo(reason);
      },
    },
    { highWaterMark: 0 },
  );
  return {
    stream: FixedLength === undefined ? watched : watched.pipeThrough(new FixedLength(body.length)),
    headers: FixedLength === undefined ? { "content-length": String(body.length) } : {},
    failure: () => failure,
    release() {
      if (!ended) letGo();
    },
  };
}

/**
 * The body of an answer. It fails, transiently, after a minute in which no piece came to its end, when the connection
 * breaks, and when its length is not what was announced. The time in which nobody reads does not count.
 */
export function incoming(
  stream: ReadableStream<Uint8Array>,
  length: number | undefined,
  describe: string,
  watch: Watch,
): ReadableStream<Uint8Array> {
  const reader = largePieces(stream);
  let received = 0;
  const letGo = reader.cancel;
  // Ends a read that is under way.
  watch.signal.addEventListener("abort", () => letGo(watch.signal.reason), { once: true });
  const broken = (why: string, cause?: unknown) => new RegistryError("transient", `${describe}: ${why}`, { cause });
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        watch.expect(CLIENT_LIMITS.stall, `${describe}: no byte came`);
        try {
          const { done, value } = await reader.read().catch((cause: unknown) => {
            throw watch.signal.aborted ? watch.signal.reason : broken("the connection broke", cause);
          });
          watch.signal.throwIfAborted();
          if (!done) received += value.byteLength;
          if (length !== undefined && (received > length || (done && received < length))) {
            throw broken(`${received} bytes came instead of ${length}`);
          }
          if (done) {
            watch.end();
            controller.close();
          } else {
            watch.rest();
            controller.enqueue(value);
          }
        } catch (error) {
          watch.end();
          controller.error(error);
          letGo(error);
        }
      },
      cancel(reason) {
        watch.end();
        letGo(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
