import { authenticationRefusal } from "../../http/index.ts";
import { type AuthenticationFailure, isAnonymous } from "../../access/index.ts";
import { Unavailable } from "../../platform/index.ts";
import { serveDescription, serveHealth } from "./description.ts";
import { type ApiCall, authorize, contextOf, notLoggedIn, recordOutcome, withWarnings } from "./call.ts";
import { handleBulkApply, isBulkApply } from "./bulk-apply.ts";
import { handleConnect } from "./connect.ts";
import { handleObjects } from "./objects.ts";
import { handleReview } from "./reviews.ts";
import { parseRequestInfo, type RequestInfo } from "./request-info.ts";
import { handleRoute } from "./routes.ts";
import { handleScale } from "./scale.ts";
import type { ApiServices } from "./services.ts";
import { StatusError } from "../status-error.ts";

export type { ApiServices } from "./services.ts";

/** The resource API: answers `/api`, `/apis`, `/openapi`, `/version`, and the health paths that its clients know. */
export async function resourceApi(services: ApiServices, request: Request): Promise<Response> {
  try {
    const url = new URL(request.url);
    const health = serveHealth(request.method, url.pathname);
    if (health !== undefined) return health;
    const identity = await services.gate.authenticate(request);
    if (!identity.ok) throw notAuthenticated(identity.error);
    return await answer({ services, identity: identity.value, request, url, warnings: [], trail: {} });
  } catch (error) {
    return failure(services, request, error);
  }
}

/** Answers, and tells the audit. */
async function answer(call: ApiCall): Promise<Response> {
  let response: Response;
  try {
    response = withWarnings(await route(call), call.warnings);
  } catch (error) {
    // What is served, and how, is only for those who may have it.
    const told = isAnonymous(call.identity) && call.trail.asked?.decision.allowed !== true ? notLoggedIn() : error;
    response = failure(call.services, call.request, told);
  }
  recordOutcome(call, response.status);
  return response;
}

async function route(call: ApiCall): Promise<Response> {
  if (isBulkApply(call)) return handleBulkApply(call);
  const info = parseRequestInfo(call.url.pathname);
  if (info.kind !== "resource" && isAnonymous(call.identity)) throw notLoggedIn();
  const known = (await serveDescription(call, info)) ?? (await handleReview(call));
  if (known !== undefined) return known;
  if (info.kind !== "resource") throw notServed();
  return resource(call, info);
}

function notAuthenticated(failure: AuthenticationFailure): StatusError {
  const refusal = authenticationRefusal(failure);
  switch (refusal.status) {
    case 401:
      return notLoggedIn();
    case 403:
      return new StatusError("Forbidden", refusal.message);
    case 429:
      return new StatusError("TooManyRequests", refusal.message, { retryAfterSeconds: refusal.retryAfterSeconds });
    case 503:
      return new StatusError("ServiceUnavailable", `${refusal.message}: ${refusal.hint}`);
  }
}

async function resource(call: ApiCall, info: RequestInfo & { readonly kind: "resource" }): Promise<Response> {
  const found = await call.services.registry.version(info.group, info.version);
  if (found === undefined) throw notServed();
  const answered = await handleRoute(call, found.group, found.version);
  if (answered !== undefined) return answered;
  const served = found.version.resources.find((candidate) => candidate.served.plural === info.resource);
  if (served === undefined) throw notServed();
  const target = { call, group: found.group, resource: served, info };
  if ((served.served.scope === "Cluster") !== (info.namespace === undefined)) {
    // A list of all namespaces names none.
    const isWide = info.namespace === undefined && info.name === "" && call.request.method !== "POST";
    if (!isWide)
      throw served.served.scope === "Cluster"
        ? notServed()
        : new StatusError("BadRequest", "an empty namespace may not be set");
  }
  if (info.subresource === "") return handleObjects(target);
  if (info.subresource === "status" && served.served.hasStatus) return handleObjects(target);
  if (info.subresource === "scale" && served.served.scale !== undefined)
    return handleScale(target, served.served.scale);
  return handleConnect(target, authorize, contextOf);
}

/** What clients take for "no such resource". */
function notServed(): StatusError {
  return new StatusError("NotFound", "the server could not find the requested resource");
}

function failure({ reportFailure, gate }: ApiServices, request: Request, error: unknown): Response {
  const known = error instanceof StatusError ? error : unexpected(error, reportFailure(request, error));
  const headers: Record<string, string> = {};
  if (known.reason === "Unauthorized") headers["www-authenticate"] = gate.challenge(request);
  if (known.details?.retryAfterSeconds !== undefined) headers["retry-after"] = String(known.details.retryAfterSeconds);
  return Response.json(known.toStatus(), { status: known.code, headers });
}

function unexpected(error: unknown, id: string): StatusError {
  if (error instanceof Unavailable) {
    return new StatusError("ServiceUnavailable", error.message, { retryAfterSeconds: error.retryAfterSeconds });
  }
  return new StatusError("InternalError", `Internal error occurred: see the log for ${id}`);
}
