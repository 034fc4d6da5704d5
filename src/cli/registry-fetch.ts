import type { Readable } from "node:stream";
import { Agent, type Dispatcher, EnvHttpProxyAgent, request } from "undici";
import type { Fetch } from "../platform/index.ts";

/** Statuses of answers without a body. @see Fetch, "null body status" */
const WITHOUT_BODY = new Set([101, 103, 204, 205, 304]);

/** Who calls bounds each step itself, and a timer that is set anew with each piece costs more than the piece. */
const UNTIMED = { headersTimeout: 0, bodyTimeout: 0 };

/**
 * A `fetch` that follows no redirects, made of undici's plain requests: what Node's `fetch` does to bodies besides passing
 * them on takes more processor time than all else. It goes by a proxy where Node's own does.
 * @param verified whether certificates have to be trusted
 * @see Node, "NODE_USE_ENV_PROXY"
 */
export function registryFetch(env: Readonly<Record<string, string | undefined>>, verified: boolean): Fetch {
  const tls = { rejectUnauthorized: verified };
  const dispatcher: Dispatcher =
    env["NODE_USE_ENV_PROXY"] === "1"
      ? new EnvHttpProxyAgent({ ...UNTIMED, connect: tls, requestTls: tls })
      : new Agent({ ...UNTIMED, connect: tls });
  return async (url, { method = "GET", headers, body, signal }) => {
    const answer = await request(url, {
      dispatcher,
      method,
      headers: Object.fromEntries(new Headers(headers)),
      body: bodyOf(body),
      signal: signal ?? null,
    });
    const init = { status: answer.statusCode, headers: headersOf(answer.headers) };
    if (method === "HEAD" || WITHOUT_BODY.has(answer.statusCode)) {
      await answer.body.dump();
      return new Response(null, init);
    }
    return new Response(unpacked(streamOf(answer.body), init.headers), init);
  };
}

function bodyOf(body: RequestInit["body"]): Readable | Uint8Array | string | null {
  // Iterables are taken as documented (undici, "RequestOptions"); its types leave them out.
  if (body instanceof ReadableStream) return piecesOf(body) as unknown as Readable;
  if (body === undefined || body === null || typeof body === "string" || body instanceof Uint8Array)
    return body ?? null;
  throw new TypeError("a body is a text, bytes or a stream");
}

async function* piecesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

function headersOf(answered: Readonly<Record<string, string | readonly string[] | undefined>>): Headers {
  const headers = new Headers();
  for (const [name, values] of Object.entries(answered)) {
    for (const value of typeof values === "string" ? [values] : (values ?? [])) headers.append(name, value);
  }
  return headers;
}

/** A stream that reads when it is read, without a piece in store. */
function streamOf(body: Readable): ReadableStream<Uint8Array> {
  const pieces: AsyncIterator<Uint8Array> = body[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await pieces.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      cancel() {
        // Nobody looks any more at what a body that is given up fails with.
        body.on("error", () => undefined).destroy();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Some pack what they were asked for plain. */
function unpacked(stream: ReadableStream<Uint8Array>, headers: Headers): ReadableStream<Uint8Array> {
  const coding = (headers.get("content-encoding") ?? "").trim().toLowerCase();
  if (coding !== "gzip" && coding !== "x-gzip") return stream;
  return stream.pipeThrough(new DecompressionStream("gzip") as ReadableWritablePair<Uint8Array, Uint8Array>);
}
