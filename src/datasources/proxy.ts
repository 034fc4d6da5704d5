import { readBody } from "../http/index.ts";
import { badRequest, bodyFault, type RequestContext } from "../resources/index.ts";
import { outboundError } from "./answers.ts";
import type { SourceConnection } from "./connection.ts";

/** Bounds of what is passed on. */
const PROXY_LIMITS = { requestBytes: 8 * 1024 * 1024, responseBytes: 256 * 1024 * 1024, timeout: 60_000 } as const;

/** What the service may know of the caller. No cookie, no credential, no trace of where the call came from. */
const REQUEST_HEADERS = [
  "accept",
  "accept-language",
  "content-type",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "range",
];

/** What the caller may know of the service. No cookie, and nothing that a browser would act on at our address. */
const RESPONSE_HEADERS = [
  "accept-ranges",
  "cache-control",
  "content-disposition",
  "content-language",
  "content-range",
  "content-type",
  "docker-content-digest",
  "docker-distribution-api-version",
  "etag",
  "last-modified",
  "oci-filters-applied",
  "oci-subject",
  "retry-after",
  "x-total-count",
];

/** Passes a request on to the service of a data source, with its credentials, and the answer back. */
export async function proxy(
  connection: SourceConnection,
  context: RequestContext,
  path: string,
  request: Request,
): Promise<Response> {
  const reads = request.method === "GET" || request.method === "HEAD";
  if (context.dryRun && !reads) throw badRequest("a dry run cannot be passed on to a data source");
  const body = reads ? undefined : await bodyOf(request);
  const outcome = await connection.send({
    path,
    query: new URL(request.url).search,
    method: request.method,
    headers: filtered(request.headers, REQUEST_HEADERS),
    timeout: PROXY_LIMITS.timeout,
    maxBytes: PROXY_LIMITS.responseBytes,
    ...(body === undefined ? {} : { body }),
  });
  if (!outcome.ok) throw outboundError(outcome.error);
  const { status, headers, body: answer } = outcome.value;
  return new Response(answer, {
    // The caller would take it for an answer to its own credentials.
    status: status === 401 || status === 407 ? 502 : status,
    headers: {
      ...filtered(headers, RESPONSE_HEADERS),
      // A page of the service must not act for the people who are logged in here.
      "content-security-policy": "sandbox",
      "x-content-type-options": "nosniff",
    },
  });
}

function filtered(headers: Headers, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers.get(name);
      return value === null ? [] : [[name, value] as const];
    }),
  );
}

/** @throws {StatusError} RequestEntityTooLarge, RequestTimeout */
async function bodyOf(request: Request): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (request.body === null) return undefined;
  const read = await readBody(request, { limit: PROXY_LIMITS.requestBytes });
  if (!read.ok) throw bodyFault(read.error);
  return read.value;
}
