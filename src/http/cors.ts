import { ConfigError } from "../platform/index.ts";
import { withHeaders } from "./response-headers.ts";

/** Lets pages of other origins call the server, by credentials that they send themselves; never by cookies. */
export interface Cors {
  /** The answer to a browser that asks before a request; `undefined` if it is no such question, or not allowed. */
  preflight(request: Request): Response | undefined;
  /** The response as the request's origin may see it. */
  withCors(request: Request, response: Response): Response;
}

const METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE";

/** What clients of the registry and of the resource API send. The token of cookie sessions is not among them. */
const REQUEST_HEADERS = [
  "Accept",
  "Authorization",
  "Cache-Control",
  "Content-Range",
  "Content-Type",
  "If-Match",
  "If-None-Match",
  "Range",
  "X-Requested-With",
].join(", ");

/** What scripts may read besides the headers that Fetch always shows them. */
const RESPONSE_HEADERS = [
  "Accept-Ranges",
  "Content-Range",
  "Docker-Content-Digest",
  "Docker-Distribution-API-Version",
  "Docker-Upload-UUID",
  "ETag",
  "Link",
  "Location",
  "OCI-Chunk-Min-Length",
  "OCI-Filters-Applied",
  "OCI-Subject",
  "OCI-Tag",
  "Range",
  "Retry-After",
  "WWW-Authenticate",
  "Warning",
  "X-Request-Id",
  "X-Total-Count",
].join(", ");

/** How long browsers may remember the answer, in seconds. */
const MAX_AGE = "600";

/**
 * What `CORS_ORIGINS` allows; `undefined` if it is not set.
 * @throws {ConfigError} if an entry is not an origin
 * @see WHATWG Fetch, section 3.3
 */
export function createCors(setting: string | undefined): Cors | undefined {
  const origins = new Set((setting ?? "").split(",").flatMap((entry) => entry.trim() || []));
  if (origins.size === 0) return undefined;
  for (const origin of origins) {
    if (origin !== "*" && (origin.includes("*") || URL.parse(origin)?.origin !== origin)) {
      throw new ConfigError(`CORS_ORIGINS: not an origin: ${origin}`);
    }
  }
  const everyone = origins.has("*");
  const allowed = (request: Request): string | undefined => {
    const origin = request.headers.get("origin");
    if (origin === null) return undefined;
    if (everyone) return "*";
    return origins.has(origin) ? origin : undefined;
  };
  return {
    preflight(request) {
      const origin = allowed(request);
      const asks = request.method === "OPTIONS" && request.headers.has("access-control-request-method");
      if (origin === undefined || !asks) return undefined;
      return new Response(null, {
        status: 204,
        headers: {
          "access-control-allow-origin": origin,
          "access-control-allow-methods": METHODS,
          "access-control-allow-headers": REQUEST_HEADERS,
          "access-control-max-age": MAX_AGE,
          vary: "Origin",
        },
      });
    },
    withCors(request, response) {
      if (response.status === 101) return response;
      const origin = allowed(request);
      // Also for those who are not allowed: a cache must not give them what it keeps for others, or the reverse.
      const answer = withHeaders(
        response,
        origin === undefined
          ? { vary: "Origin" }
          : {
              "access-control-allow-origin": origin,
              "access-control-expose-headers": RESPONSE_HEADERS,
              vary: "Origin",
            },
      );
      if (!/(?:^|[\s,])(?:origin|\*)(?:$|[\s,])/i.test(answer.headers.get("vary") ?? "")) {
        answer.headers.append("vary", "Origin");
      }
      return answer;
    },
  };
}
