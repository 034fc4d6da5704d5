import type { RepositoryName } from "../oci/index.ts";
import { type Call, methodNotAllowed } from "./context.ts";
import { errorResponse } from "./errors.ts";
import { forbidden } from "./refusals.ts";
import { nextLink, type PageRequest, parsePage } from "./pagination.ts";

/** Repositories in an answer when the client does not say, and at the most; as in Docker's registry. */
const STANDARD_REPOSITORIES = 100;
const MAX_REPOSITORIES = 1000;

/** Repositories read at a time when some of those before were not for the caller, and looked at for one page at the most. */
const BATCH = 1000;
const MAX_LOOKED = 10_000;

/** `GET /v2/_catalog`, in lexical order: repositories that hold a manifest. Docker's extension of the API. */
export async function catalog(call: Call): Promise<Response> {
  const { request, url } = call;
  if (request.method !== "GET" && request.method !== "HEAD") return methodNotAllowed(call);
  const refusal = forbidden(call, "catalog");
  if (refusal !== undefined) return refusal;
  const page = parsePage(url.searchParams, STANDARD_REPOSITORIES, MAX_REPOSITORIES);
  if (page === undefined) return errorResponse("PAGINATION_NUMBER_INVALID", { detail: url.searchParams.get("n") });
  const { names, last } = await visible(call, page);
  const headers: Record<string, string> = { "cache-control": "private, no-cache" };
  if (last !== undefined) headers["link"] = nextLink(url.pathname, { n: String(page.limit), last });
  return Response.json({ repositories: names }, { headers });
}

/**
 * Repositories of a page that the caller may pull from, and where the next page begins if there may be more. A page can be
 * short, where many in a row are not for the caller.
 */
async function visible(
  { services, identity: caller }: Call,
  { limit, after }: PageRequest,
): Promise<{ readonly names: readonly RepositoryName[]; readonly last?: string }> {
  // A token for the catalog names no repositories; what its holder may pull is shown all the same.
  const { scope: _scope, ...identity } = caller;
  const found: RepositoryName[] = [];
  let last = after;
  let size = limit;
  for (let looked = 0; looked < MAX_LOOKED;) {
    const { names, more } = await services.names.repositories({ limit: size, after: last });
    for (const [index, name] of names.entries()) {
      looked += 1;
      last = name;
      if (services.gate.allows(identity, "pull", name)) found.push(name);
      if (found.length < limit) continue;
      return more || index + 1 < names.length ? { names: found, last } : { names: found };
    }
    if (!more || names.length === 0) return { names: found };
    size = BATCH;
  }
  // Where nothing else can be, the next page begins at a name that the caller may not see.
  return { names: found, last: found.at(-1) ?? last };
}
