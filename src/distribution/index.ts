import type { AuthenticationFailure } from "../access/index.ts";
import { blob } from "./blobs.ts";
import { catalog } from "./catalog.ts";
import { type Call, type DistributionServices, methodNotAllowed } from "./context.ts";
import { API_VERSION, errorResponse } from "./errors.ts";
import { manifest } from "./manifests.ts";
import { referrers } from "./referrers.ts";
import { parseRoute, type Route } from "./route.ts";
import { tags } from "./tags.ts";
import { upload, uploads } from "./uploads.ts";

export type { DistributionServices } from "./context.ts";
export { errorResponse } from "./errors.ts";
export { contentGroup, type ContentKindsPorts } from "./kinds.ts";

/** The OCI Distribution API: answers every request under `/v2`, also those that it fails at. */
export async function distribution(services: DistributionServices, request: Request): Promise<Response> {
  try {
    const response = await answer(services, request);
    for (const [name, value] of Object.entries(API_VERSION)) response.headers.set(name, value);
    return response;
  } catch (error) {
    const id = crypto.randomUUID();
    services.log.error("request.failed", { id, error });
    return errorResponse("UNKNOWN", { detail: { id } });
  }
}

async function answer(services: DistributionServices, request: Request): Promise<Response> {
  const authenticated = await services.gate.authenticate(request);
  if (!authenticated.ok) return refusal(authenticated.error);
  const url = new URL(request.url);
  const route = parseRoute(url.pathname);
  if (route.kind === "failure") {
    if (route.code === "not-found") return errorResponse("UNSUPPORTED", { status: 404, message: "no such endpoint" });
    const message =
      route.code === "DIGEST_INVALID" ? "digest is malformed or its algorithm is not supported" : undefined;
    return errorResponse(route.code, { detail: route.detail, ...(message === undefined ? {} : { message }) });
  }
  const fresh = (request.headers.get("cache-control") ?? "").includes("no-cache");
  return dispatch({ services, identity: authenticated.value, request, url, fresh }, route);
}

async function dispatch(call: Call, route: Route): Promise<Response> {
  switch (route.kind) {
    case "base":
      return base(call);
    case "catalog":
      return catalog(call);
    case "manifest":
      return manifest(call, route.repository, route.reference);
    case "blob":
      return blob(call, route.repository, route.digest);
    case "uploads":
      return uploads(call, route.repository);
    case "upload":
      return upload(call, route.repository, route.id);
    case "tags":
      return tags(call, route.repository);
    case "referrers":
      return referrers(call, route.repository, route.digest);
  }
}

/** `GET /v2/`: the API is here, and the caller is let in. @see distribution-spec end-1 */
function base({ request }: Call): Response {
  return request.method === "GET" || request.method === "HEAD" ? Response.json({}) : methodNotAllowed(["GET", "HEAD"]);
}

function refusal(failure: AuthenticationFailure): Response {
  switch (failure.reason) {
    case "unauthenticated":
      return errorResponse("UNAUTHORIZED", { headers: { "www-authenticate": 'Basic realm="Entrepot"' } });
    case "not-configured":
      return errorResponse("UNAVAILABLE", {
        message:
          "this registry has no credentials yet: set the secret ADMIN_PASSWORD (npx wrangler secret put ADMIN_PASSWORD)",
      });
  }
}
