import { type Digest, MEDIA_TYPES, type RepositoryName } from "../oci/index.ts";
import { type Call, methodNotAllowed } from "./context.ts";
import { errorResponse } from "./errors.ts";
import { forbidden } from "./refusals.ts";
import { nextLink, parsePage } from "./pagination.ts";

/** Descriptors in an answer when the client does not say, and at the most. */
const STANDARD_REFERRERS = 1000;
const MAX_REFERRERS = 1000;

/** `GET /v2/<name>/referrers/<digest>`: an index, empty if nothing refers to the digest. @see distribution-spec end-12 */
export async function referrers(call: Call, repository: RepositoryName, digest: Digest): Promise<Response> {
  const { request, services, url } = call;
  if (request.method !== "GET" && request.method !== "HEAD") return methodNotAllowed(call);
  const refusal = forbidden(call, "pull", repository);
  if (refusal !== undefined) return refusal;
  const artifactType = url.searchParams.get("artifactType") || undefined;
  const page = parsePage(url.searchParams, STANDARD_REFERRERS, MAX_REFERRERS);
  if (page === undefined) return errorResponse("PAGINATION_NUMBER_INVALID", { detail: url.searchParams.get("n") });
  const { referrers: found, next } = await services.manifests.referrers(repository, digest, { artifactType, ...page });
  const headers: Record<string, string> = {
    "content-type": MEDIA_TYPES.ociIndex,
    "cache-control": "private, no-cache",
  };
  if (artifactType !== undefined) headers["oci-filters-applied"] = "artifactType";
  if (next !== undefined) {
    headers["link"] = nextLink(url.pathname, {
      ...(artifactType === undefined ? {} : { artifactType }),
      n: String(page.limit),
      last: next,
    });
  }
  const manifests = found.map((referrer) => ({
    mediaType: referrer.mediaType,
    digest: referrer.digest,
    size: referrer.size,
    ...(referrer.artifactType === undefined ? {} : { artifactType: referrer.artifactType }),
    ...(Object.keys(referrer.annotations).length === 0 ? {} : { annotations: referrer.annotations }),
  }));
  return Response.json({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests }, { headers });
}
