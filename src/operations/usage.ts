import { type ReportFailure, restAuthenticationError, restError, restFailure } from "../http/index.ts";
import { type Gate, isAnonymous } from "../access/index.ts";
import type { ContentUsage } from "../content/index.ts";
import { type Log } from "../platform/index.ts";
import type { Authorizer, UsageNumbers, UsageStatistics } from "../resources/index.ts";

/** What usage statistics are served from. */
export interface UsageServices {
  readonly gate: Gate;
  readonly authorizer: Authorizer;
  readonly usage: Pick<UsageStatistics, "read">;
  readonly reportFailure: ReportFailure;
}

/** Usage of content by the names that statistics have. */
export function contentUsageNumbers(usage: ContentUsage): UsageNumbers {
  return {
    "content.repositories.count": usage.repositories,
    "content.manifests.count": usage.manifests,
    "content.tags.count": usage.tags,
    "content.blobs.count": usage.blobs,
    "content.blobs.bytes": usage.bytes,
  };
}

/** Most that one D1 database holds, in bytes. @see Cloudflare D1, limits */
const MAX_DATABASE_BYTES = 10_000_000_000;
/** The share of it from which on there is a warning. */
const WARN_AT = 0.8;

/** The database's size by the name that statistics have. If there is a limit to it, a warning when that is near. */
export function databaseUsageNumbers(bytes: number, isLimited: boolean, log: Pick<Log, "warn">): UsageNumbers {
  if (isLimited && bytes >= MAX_DATABASE_BYTES * WARN_AT) {
    log.warn("database.nearly-full", { bytes, limit: MAX_DATABASE_BYTES });
  }
  return { "database.bytes": bytes };
}

/**
 * `GET /api/v1/usage`: what was counted last, and when. Errors are those of the REST endpoints, `{error, details}`. It is
 * asked for as the resource `usage` and, by those whose rights are on paths, as the path.
 */
export async function usageApi(services: UsageServices, request: Request): Promise<Response> {
  try {
    return await answer(services, request);
  } catch (error) {
    return restFailure(error, services.reportFailure(request, error));
  }
}

async function answer({ gate, authorizer, usage }: UsageServices, request: Request): Promise<Response> {
  const identity = await gate.authenticate(request);
  if (!identity.ok) return restAuthenticationError(identity.error, gate.challenge(request));
  const asked = {
    identity: identity.value,
    verb: "get",
    group: "",
    version: "v1",
    subresource: "",
    namespace: "",
    name: "",
  };
  const path = new URL(request.url).pathname;
  for (const resource of ["usage", ""]) {
    const { decision } = await authorizer({ ...asked, resource, path });
    if (decision === "deny") break;
    if (decision !== "allow") continue;
    if (request.method !== "GET" && request.method !== "HEAD") {
      return restError(405, "the method is not allowed here", undefined, { allow: "GET, HEAD" });
    }
    const { collectedAt, numbers } = await usage.read();
    const body = { collectedAt: new Date(collectedAt).toISOString(), numbers };
    return Response.json(body, { headers: { "cache-control": "private, no-cache" } });
  }
  if (isAnonymous(identity.value))
    return restAuthenticationError({ reason: "unauthenticated" }, gate.challenge(request));
  return restError(403, "not allowed", `user ${identity.value.name} may not read usage statistics`);
}
