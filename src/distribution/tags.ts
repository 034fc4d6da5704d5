import type { RepositoryName } from "../oci/index.ts";
import { type Call, methodNotAllowed } from "./context.ts";
import { errorResponse, failureResponse } from "./errors.ts";
import { forbidden } from "./refusals.ts";
import { nextLink, parsePage } from "./pagination.ts";

/** Tags in an answer when the client does not say, and at the most. */
const STANDARD_TAGS = 1000;
const MAX_TAGS = 10_000;

/** `GET /v2/<name>/tags/list`, in lexical order. @see distribution-spec end-8 */
export async function tags(call: Call, repository: RepositoryName): Promise<Response> {
  const { request, services, url } = call;
  if (request.method !== "GET" && request.method !== "HEAD") return methodNotAllowed(call);
  const refusal = forbidden(call, "pull", repository);
  if (refusal !== undefined) return refusal;
  const page = parsePage(url.searchParams, STANDARD_TAGS, MAX_TAGS);
  if (page === undefined) return errorResponse("PAGINATION_NUMBER_INVALID", { detail: url.searchParams.get("n") });
  const listed = await services.names.tags(repository, page, call.fresh);
  if (!listed.ok) return failureResponse(listed.error);
  const { names, more } = listed.value;
  const last = names.at(-1);
  const headers: Record<string, string> = { "cache-control": "private, no-cache" };
  if (more && last !== undefined) headers["link"] = nextLink(url.pathname, { n: String(page.limit), last });
  return Response.json({ name: repository, tags: names }, { headers });
}
