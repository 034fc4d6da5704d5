import { type Call, forbidden, methodNotAllowed } from "./context.ts";
import { errorResponse } from "./errors.ts";
import { nextLink, parsePage } from "./pagination.ts";

/** Repositories in an answer when the client does not say, and at the most; as in Docker's registry. */
const STANDARD_REPOSITORIES = 100;
const MAX_REPOSITORIES = 1000;

/** `GET /v2/_catalog`, in lexical order: repositories that hold a manifest. Docker's extension of the API. */
export async function catalog(call: Call): Promise<Response> {
  const { request, services, url } = call;
  if (request.method !== "GET" && request.method !== "HEAD") return methodNotAllowed(["GET", "HEAD"]);
  const refusal = forbidden(call, "catalog");
  if (refusal !== undefined) return refusal;
  const page = parsePage(url.searchParams, STANDARD_REPOSITORIES, MAX_REPOSITORIES);
  if (page === undefined) return errorResponse("PAGINATION_NUMBER_INVALID", { detail: url.searchParams.get("n") });
  const { names, more } = await services.names.repositories(page);
  const last = names.at(-1);
  const headers: Record<string, string> = { "cache-control": "private, no-cache" };
  if (more && last !== undefined) headers["link"] = nextLink(url.pathname, { n: String(page.limit), last });
  return Response.json({ repositories: names }, { headers });
}
