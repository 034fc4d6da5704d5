import type { Clock, Fetch } from "../../platform/index.ts";
import type { Budget } from "../ports.ts";
import { RegistryError } from "../registry.ts";
import type { AddressRules } from "./address-rules.ts";
import { incoming, type Outgoing, outgoing, type StreamBody } from "./body-streams.ts";
import { CLIENT_LIMITS } from "./limits.ts";
import { handedAddress } from "./link.ts";
import { networkFailure } from "./network-failure.ts";
import { paceOf } from "./rate-limit.ts";
import { createWatch, type Watch } from "./watch.ts";

/** One request to a registry, its token service or its other APIs. */
export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  /** Who named the address, if it was not the configuration. */
  readonly from?: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** The value of `Authorization`; it does not leave the origin of `url`. */
  readonly authorization?: string | undefined;
  readonly body?: string | Uint8Array | StreamBody;
  readonly kind?: "request" | "manifest-get";
  /** What is asked, for messages. */
  readonly what: string;
  /** Ends this request alone. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the head of the answer. */
  readonly patience?: number;
  /** Goes on although the whole client was stopped: for clearing up. */
  readonly detached?: boolean;
}

/** The head of an answer, and its body, which has to be read or discarded. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Where it came from, after redirects. */
  readonly url: URL;
  readonly body: ReadableStream<Uint8Array> | undefined;
}

/** What the client works with. */
export interface HttpClientOptions {
  /** As the configuration calls the registry. */
  readonly registry: string;
  readonly fetch: Fetch;
  readonly budget: Budget;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly addresses: AddressRules;
  readonly userAgent: string;
}

/** Sends requests. Whatever the status is an answer; what did not come to one is thrown as a `RegistryError`. */
export interface HttpClient {
  send(request: HttpRequest): Promise<HttpAnswer>;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** The one place where requests leave: budget, addresses, redirects, timeouts. Nothing is tried again. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  return {
    async send(request) {
      options.addresses.check(request.url, request.from);
      let { url, authorization, kind } = request;
      for (let hop = 0; hop <= CLIENT_LIMITS.redirects; hop += 1) {
        const answer = await once({ ...request, url, authorization, kind: kind ?? "request" }, options);
        if (!REDIRECTS.has(answer.status)) return answer;
        await discard(answer);
        const next = redirectTarget(request, answer, options);
        // Fetch, "HTTP-redirect fetch": what was meant for one origin is not for another, nor after a way back.
        if (next.origin !== url.origin) authorization = undefined;
        url = next;
        kind = "request";
      }
      throw new RegistryError(
        "refused",
        `${options.registry}: ${request.what}: more than ${CLIENT_LIMITS.redirects} redirects`,
      );
    },
  };
}

function redirectTarget(request: HttpRequest, answer: HttpAnswer, options: HttpClientOptions): URL {
  const refused = (why: string) =>
    new RegistryError("refused", `${options.registry}: ${request.what}: ${why}`, { status: answer.status });
  const next = handedAddress(answer.headers.get("location") ?? undefined, answer.url);
  if (next === undefined) throw refused("a redirect without an address");
  options.addresses.check(next, answer.url);
  if (request.method === "GET" || request.method === "HEAD") return next;
  const repeatable = (answer.status === 307 || answer.status === 308) && !isStream(request.body);
  if (!repeatable || next.origin !== answer.url.origin)
    throw refused(`a redirect of ${request.method} is not followed`);
  return next;
}

async function once(request: HttpRequest, options: HttpClientOptions): Promise<HttpAnswer> {
  const { registry, budget, clock, fetch } = options;
  const describe = `${registry}: ${request.what}`;
  const watch = createWatch(describe, [request.detached === true ? undefined : options.signal, request.signal]);
  let sending: Outgoing | undefined;
  let response: Response;
  try {
    watch.signal.throwIfAborted();
    await budget.acquire(request.kind ?? "request", watch.signal);
    watch.signal.throwIfAborted();
    if (isStream(request.body)) sending = outgoing(request.body, describe, watch);
    else watch.expect(request.patience ?? CLIENT_LIMITS.head, "no answer");
    response = await fetch(request.url.href, requestInit(request, options, watch, sending));
  } catch (cause) {
    watch.end();
    sending?.release();
    if (isStream(request.body) && sending === undefined) await request.body.stream.cancel(cause).catch(() => undefined);
    throw reasonOf(cause, sending, watch, describe);
  }
  watch.rest();
  budget.report({ status: response.status, ...paceOf(response.headers, clock()) });
  const { status, headers } = response;
  if (response.body === null || request.method === "HEAD") {
    watch.end();
    sending?.release();
    await response.body?.cancel();
    return { status, headers, url: request.url, body: undefined };
  }
  const answer = {
    status,
    headers,
    url: request.url,
    body: incoming(response.body, lengthOf(headers), describe, watch),
  };
  return sending === undefined ? answer : await settled(answer, sending);
}

/** The answer to a stream is read before the rest of the stream is let go, if it came early: that ends the connection. */
async function settled(answer: HttpAnswer, sending: Outgoing): Promise<HttpAnswer> {
  const bytes = await readBytes(answer, CLIENT_LIMITS.errorBody).catch(() => undefined);
  sending.release();
  const { body } = new Response(new Uint8Array(bytes ?? []));
  return { ...answer, body: body ?? undefined };
}

function reasonOf(cause: unknown, sending: Outgoing | undefined, watch: Watch, describe: string): unknown {
  if (watch.signal.aborted) return watch.signal.reason;
  if (sending?.failure() !== undefined) return sending.failure();
  if (cause instanceof RegistryError) return cause;
  return networkFailure(describe, cause);
}

function requestInit(
  request: HttpRequest,
  { userAgent }: HttpClientOptions,
  watch: Watch,
  sending: Outgoing | undefined,
): RequestInit {
  const headers: Record<string, string> = {
    // Whatever unpacks a body on its way spoils digests and lengths.
    "accept-encoding": "identity",
    "user-agent": userAgent,
    ...request.headers,
    ...sending?.headers,
    ...(request.authorization === undefined ? {} : { authorization: request.authorization }),
  };
  const init = { method: request.method, headers, redirect: "manual" as const, signal: watch.signal };
  // Node asks for `duplex` with every stream; workerd ignores it.
  if (sending !== undefined) return Object.assign(init, { body: sending.stream, duplex: "half" });
  if (request.body === undefined || isStream(request.body)) return init;
  return { ...init, body: typeof request.body === "string" ? request.body : new Uint8Array(request.body) };
}

/** Whether a body can be sent only once. */
export function isStream(body: HttpRequest["body"]): body is StreamBody {
  return typeof body === "object" && "stream" in body;
}

/** `Content-Length`, if the body is as long: what was unpacked on the way is not. */
export function lengthOf(headers: Headers): number | undefined {
  const text = headers.get("content-length") ?? "";
  const encoding = headers.get("content-encoding") ?? "identity";
  return /^\d{1,15}$/.test(text) && encoding === "identity" ? Number(text) : undefined;
}

/** Lets a body go; a short one is read, so that its connection can be used again. */
export async function discard(answer: HttpAnswer): Promise<void> {
  if (answer.body === undefined) return;
  const short = (lengthOf(answer.headers) ?? Number.POSITIVE_INFINITY) <= CLIENT_LIMITS.errorBody;
  const done = short ? readBytes(answer, CLIENT_LIMITS.errorBody) : answer.body.cancel();
  await Promise.resolve(done).catch(() => undefined);
}

/** The whole body, or `undefined` if it is longer than `limit` bytes. */
export async function readBytes(answer: HttpAnswer, limit: number): Promise<Uint8Array | undefined> {
  if (answer.body === undefined) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of answer.body) {
    length += chunk.byteLength;
    // Leaving the loop cancels the stream.
    if (length > limit) return undefined;
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}
