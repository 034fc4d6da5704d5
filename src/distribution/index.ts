import { type Identity, isAnonymous } from "../access/index.ts";
import { Unavailable } from "../platform/index.ts";
import { blob } from "./blobs.ts";
import { catalog } from "./catalog.ts";
import { type Call, type DistributionServices, methodNotAllowed } from "./context.ts";
import { API_VERSION, errorResponse } from "./errors.ts";
import { manifest } from "./manifests.ts";
import { referrers } from "./referrers.ts";
import { challenged, notAuthenticated } from "./refusals.ts";
import { parseRoute, type Route, type RouteFailure } from "./route.ts";
import { tags } from "./tags.ts";
import { upload, uploads } from "./uploads.ts";

export type { DistributionServices } from "./context.ts";
export { errorResponse } from "./errors.ts";
export { ROUTES, type RouteShape } from "./routes.ts";
export { contentGroup, type ContentKindsPorts } from "./kinds.ts";

/** The OCI Distribution API: answers every request under `/v2`, also those that it fails at. */
export async function distribution(services: DistributionServices, request: Request): Promise<Response> {
  try {
    const response = await answer(services, request);
    for (const [name, value] of Object.entries(API_VERSION)) response.headers.set(name, value);
    return response;
  } catch (error) {
    const id = services.reportFailure(request, error);
    if (error instanceof Unavailable) return errorResponse("UNAVAILABLE", unavailable(error, id));
    return errorResponse("UNKNOWN", { detail: { id } });
  }
}

function unavailable({ message, retryAfterSeconds }: Unavailable, id: string) {
  return { message, detail: { id }, headers: { "retry-after": String(retryAfterSeconds) } };
}

async function answer(services: DistributionServices, request: Request): Promise<Response> {
  const url = new URL(request.url);
  const route = parseRoute(url.pathname);
  const fresh = (request.headers.get("cache-control") ?? "").includes("no-cache");
  const ahead = lookingAhead(services, request, route, fresh);
  const authenticated = await services.gate.authenticate(request, ahead.begin);
  if (!authenticated.ok) return notAuthenticated(services, request, url, route, authenticated.error);
  const identity = authenticated.value;
  if (route.kind === "failure") {
    // Nobody in particular is asked to sign in first: what is wrong with the path is for those who are let in.
    if (isNobody(identity)) return notAuthenticated(services, request, url, route, { reason: "unauthenticated" });
    if (route.code === "not-found") return errorResponse("UNSUPPORTED", { status: 404, message: "no such endpoint" });
    // Nothing can have such a tag: whoever reads is told that it is not there, as of any other (end-3 has no 400).
    if (route.code === "TAG_INVALID" && isRead(request)) {
      return errorResponse("MANIFEST_UNKNOWN", { detail: route.detail });
    }
    const message =
      route.code === "DIGEST_INVALID" ? "digest is malformed or its algorithm is not supported" : undefined;
    return errorResponse(route.code, { detail: route.detail, ...(message === undefined ? {} : { message }) });
  }
  return dispatch({ services, identity, request, url, route, fresh, sought: ahead.sought() });
}

/**
 * Looks up what a pull names while rights are read, in the same crossing to the database. Not for those who had no right to
 * it a moment ago. Who turns out to have none gets nothing of it, and nothing is remembered.
 */
function lookingAhead(services: DistributionServices, request: Request, route: Route | RouteFailure, fresh: boolean) {
  let sought: Call["sought"];
  const begin = (likely: Identity | undefined): void => {
    if (!isRead(request) || (route.kind !== "manifest" && route.kind !== "blob")) return;
    if (likely !== undefined && !services.gate.allows(likely, "pull", route.repository)) return;
    sought =
      route.kind === "manifest"
        ? { manifest: services.manifests.seek(route.repository, route.reference, fresh) }
        : { blob: services.blobs.seek(route.repository, route.digest, fresh) };
  };
  return { begin, sought: () => sought };
}

async function dispatch(call: Call): Promise<Response> {
  const { route } = call;
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

/**
 * `GET /v2/`: the API is here, and the caller is let in. Clients ask it to find out how to sign in, and whether a password
 * is right; a token is an answer to that, also one for nobody in particular. @see distribution-spec end-1
 */
function base(call: Call): Response {
  const { request, identity } = call;
  if (!isRead(request)) return methodNotAllowed(call);
  return isNobody(identity) ? challenged(call) : Response.json({});
}

function isRead({ method }: Request): boolean {
  return method === "GET" || method === "HEAD";
}

/** Who sent no credential at all, where one is needed. */
function isNobody(identity: Identity): boolean {
  return isAnonymous(identity) && identity.credential.type === "none";
}
