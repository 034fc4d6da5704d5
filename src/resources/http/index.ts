import { serveDescription } from "./description.ts";
import { type ApiCall, authorize, contextOf, withWarnings } from "./call.ts";
import { handleBulkApply, isBulkApply } from "./bulk-apply.ts";
import { handleConnect } from "./connect.ts";
import { handleObjects } from "./objects.ts";
import { handleReview } from "./reviews.ts";
import { parseRequestInfo, type RequestInfo } from "./request-info.ts";
import { handleRoute } from "./routes.ts";
import type { ApiServices } from "./services.ts";
import { StatusError } from "../status-error.ts";

export type { ApiServices } from "./services.ts";

/** The resource API: answers `/api`, `/apis`, `/openapi`, `/version`, and the health paths that its clients know. */
export async function resourceApi(services: ApiServices, request: Request): Promise<Response> {
  try {
    const identity = await services.gate.authenticate(request);
    if (!identity.ok) {
      throw identity.error.reason === "not-configured"
        ? new StatusError("ServiceUnavailable", "this registry has no credentials yet: set the secret ADMIN_PASSWORD")
        : new StatusError("Unauthorized", "You must be logged in to the server (Unauthorized)");
    }
    const call: ApiCall = { services, identity: identity.value, request, url: new URL(request.url), warnings: [] };
    return withWarnings(await answer(call), call.warnings);
  } catch (error) {
    return failure(services, error);
  }
}

async function answer(call: ApiCall): Promise<Response> {
  if (isBulkApply(call)) return handleBulkApply(call);
  const info = parseRequestInfo(call.url.pathname);
  const known = (await serveDescription(call, info)) ?? (await handleReview(call));
  if (known !== undefined) return known;
  if (info.kind !== "resource") throw notServed();
  return resource(call, info);
}

async function resource(call: ApiCall, info: RequestInfo & { readonly kind: "resource" }): Promise<Response> {
  const found = await call.services.registry.version(info.group, info.version);
  if (found === undefined) throw notServed();
  const route = await handleRoute(call, found.group, found.version);
  if (route !== undefined) return route;
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
  return handleConnect(target, authorize, contextOf);
}

/** What clients take for "no such resource". */
function notServed(): StatusError {
  return new StatusError("NotFound", "the server could not find the requested resource");
}

function failure({ log }: ApiServices, error: unknown): Response {
  const known = error instanceof StatusError ? error : unexpected(log, error);
  const headers: Record<string, string> = {};
  if (known.reason === "Unauthorized") headers["www-authenticate"] = 'Basic realm="Entrepot"';
  if (known.details?.retryAfterSeconds !== undefined) headers["retry-after"] = String(known.details.retryAfterSeconds);
  return Response.json(known.toStatus(), { status: known.code, headers });
}

function unexpected(log: ApiServices["log"], error: unknown): StatusError {
  const id = crypto.randomUUID();
  log.error("request.failed", { id, error });
  return new StatusError("InternalError", `Internal error occurred: see the log for ${id}`);
}
