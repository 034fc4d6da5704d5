import { addressRefusal } from "./outbound-rule.ts";
import { err, ok, type Result } from "./result.ts";

/** The network as a parameter. */
export type Fetch = (input: string, init: RequestInit) => Promise<Response>;

/** Defaults and limits of outbound calls. */
export const OUTBOUND_LIMITS = {
  /** From the start to the last byte of the body, in milliseconds. */
  timeout: 10_000,
  /** Bytes of a body. */
  maxBytes: 4 * 1024 * 1024,
  redirects: 5,
  /** Tries of a request that may be repeated. */
  tries: 3,
  /** First wait between tries, in milliseconds; it doubles. */
  backoff: 200,
  /** A `Retry-After` above this is not waited for, in milliseconds. */
  patience: 5000,
} as const;

/** Why an outbound call gave no response. */
export type OutboundFailure =
  /** Not `http:` or `https:`, or credentials in the address. */
  | { readonly reason: "bad-address" }
  /** Not on the public Internet (`OUTBOUND_PRIVATE`), or not there and named by one that is. */
  | { readonly reason: "private-address" }
  | { readonly reason: "timeout" }
  | { readonly reason: "unreachable" }
  /** Too many, without an address, to where `within` forbids, or of a body that cannot be sent again. */
  | { readonly reason: "bad-redirect" };

/** One outbound call. */
export interface OutboundRequest {
  readonly url: URL;
  /** Who named the address, if it was not the configuration: a registry its realm, an issuer its endpoints. */
  readonly from?: URL;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  /** Names of headers, besides `Authorization` and `Cookie`, that another origin must not see. */
  readonly credentialHeaders?: readonly string[];
  /** Where a redirect may lead; everywhere unless given. The first address is checked as well. */
  readonly within?: (url: URL) => boolean;
  readonly timeout?: number;
  readonly maxBytes?: number;
  /** `repeat` tries again after a network failure, `429` and `502` to `504`; for requests whose repetition does no harm. `GET` and `HEAD` unless given. */
  readonly retry?: "repeat" | "once";
}

/** What outbound calls work with. */
export interface OutboundPorts {
  readonly fetch: Fetch;
  /** Whether private addresses may be called at all. */
  readonly allowPrivate: boolean;
  /** Waits, in milliseconds. */
  readonly sleep?: (duration: number) => Promise<void>;
  /** A number from 0 to 1, for jitter. */
  readonly random?: () => number;
}

/** Headers that belong to the origin they were meant for. @see Fetch, "HTTP-redirect fetch" */
const CREDENTIALS = ["authorization", "cookie", "proxy-authorization"];

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const TRANSIENT = new Set([429, 502, 503, 504]);

/**
 * The one way out: timeout, size cap, redirects by hand, retries, and no way to private addresses. The body of the
 * response fails with a `RangeError` once it is longer than `maxBytes`.
 */
export class Outbound {
  readonly #fetch: Fetch;
  readonly #allowPrivate: boolean;
  readonly #sleep: (duration: number) => Promise<void>;
  readonly #random: () => number;

  constructor({ fetch, allowPrivate, sleep, random }: OutboundPorts) {
    this.#fetch = fetch;
    this.#allowPrivate = allowPrivate;
    this.#sleep = sleep ?? ((duration) => new Promise((resolve) => setTimeout(resolve, duration)));
    this.#random = random ?? Math.random;
  }

  /** Why `url` may not be called, or nothing. @param from who named it, if it was not the configuration */
  refusal(url: URL, from?: URL): OutboundFailure | undefined {
    const reason = addressRefusal(url, this.#allowPrivate, from);
    return reason === undefined ? undefined : { reason: reason === "led-to-private" ? "private-address" : reason };
  }

  async request(request: OutboundRequest): Promise<Result<Response, OutboundFailure>> {
    const signal = AbortSignal.timeout(request.timeout ?? OUTBOUND_LIMITS.timeout);
    const method = (request.method ?? "GET").toUpperCase();
    const repeat = request.retry ?? (method === "GET" || method === "HEAD" ? "repeat" : "once");
    const tries = repeat === "repeat" ? OUTBOUND_LIMITS.tries : 1;
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#follow(request, method, signal);
      const wait = attempt < tries && !signal.aborted ? this.#wait(outcome, attempt) : undefined;
      if (wait === undefined) return outcome;
      if (outcome.ok) await outcome.value.body?.cancel();
      await this.#sleep(wait);
    }
  }

  /** How long to wait before the next try, in milliseconds; `undefined` if there is no use in one. */
  #wait(outcome: Result<Response, OutboundFailure>, attempt: number): number | undefined {
    const jittered = OUTBOUND_LIMITS.backoff * 2 ** (attempt - 1) * (0.5 + this.#random() / 2);
    if (!outcome.ok) return outcome.error.reason === "unreachable" ? jittered : undefined;
    if (!TRANSIENT.has(outcome.value.status)) return undefined;
    const asked = Number(outcome.value.headers.get("retry-after") ?? 0) * 1000;
    if (!(asked <= OUTBOUND_LIMITS.patience)) return undefined;
    return Math.max(asked, jittered);
  }

  async #follow(
    request: OutboundRequest,
    firstMethod: string,
    signal: AbortSignal,
  ): Promise<Result<Response, OutboundFailure>> {
    let { url, body } = request;
    let method = firstMethod;
    const headers = new Headers({ ...request.headers });
    const refusal = this.refusal(url, request.from);
    if (refusal !== undefined) return err(refusal);
    if (request.within?.(url) === false) return err({ reason: "bad-address" });
    for (let hop = 0; hop <= OUTBOUND_LIMITS.redirects; hop += 1) {
      const response = await this.#once(url, { method, headers, signal, ...(body === undefined ? {} : { body }) });
      if (!response.ok) return response;
      const { status } = response.value;
      if (!REDIRECTS.has(status)) return ok(capped(response.value, request.maxBytes ?? OUTBOUND_LIMITS.maxBytes));
      await response.value.body?.cancel();
      const next = target(response.value.headers.get("location"), url);
      if (next === undefined) return err({ reason: "bad-redirect" });
      const refused = this.#redirectRefusal(request, url, next);
      if (refused !== undefined) return err(refused);
      if (next.origin !== url.origin) {
        for (const name of [...CREDENTIALS, ...(request.credentialHeaders ?? [])]) headers.delete(name);
      }
      // Fetch, "HTTP-redirect fetch", step 12: these become a GET without a body.
      if ((status === 303 && method !== "HEAD") || ((status === 301 || status === 302) && method === "POST")) {
        method = "GET";
        body = undefined;
        headers.delete("content-type");
      }
      url = next;
    }
    return err({ reason: "bad-redirect" });
  }

  #redirectRefusal(request: OutboundRequest, from: URL, to: URL): OutboundFailure | undefined {
    const refusal = this.refusal(to, from);
    if (refusal !== undefined) return refusal;
    return request.within?.(to) === false ? { reason: "bad-redirect" } : undefined;
  }

  async #once(url: URL, init: RequestInit): Promise<Result<Response, OutboundFailure>> {
    try {
      return ok(await this.#fetch(url.href, { ...init, redirect: "manual" }));
    } catch {
      return err({ reason: init.signal?.aborted === true ? "timeout" : "unreachable" });
    }
  }
}

function target(location: string | null, base: URL): URL | undefined {
  if (location === null || !URL.canParse(location, base)) return undefined;
  const url = new URL(location, base);
  url.hash = "";
  return url;
}

/** The response, its body ended with an error after `limit` bytes. */
function capped(response: Response, limit: number): Response {
  if (response.body === null) return response;
  let length = 0;
  const cap = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      length += chunk.byteLength;
      if (length > limit) controller.error(new RangeError(`the response is longer than ${limit} bytes`));
      else controller.enqueue(chunk);
    },
  });
  return new Response(response.body.pipeThrough(cap), response);
}
