import { authenticationRefusal } from "../http/index.ts";
import type { RepositoryName } from "../oci/index.ts";
import { type AuthenticationFailure, isAnonymous, repositoryEntry, type RepositoryVerb } from "../access/index.ts";
import type { Call, DistributionServices } from "./context.ts";
import { ERRORS, errorResponse } from "./errors.ts";
import { accessDetail, requiredAccess, scopeText } from "./required-access.ts";
import type { Route, RouteFailure } from "./route.ts";

/** What a request that was not authenticated is answered. */
export function notAuthenticated(
  { gate }: DistributionServices,
  request: Request,
  url: URL,
  route: Route | RouteFailure,
  failure: AuthenticationFailure,
): Response {
  const refusal = authenticationRefusal(failure);
  switch (refusal.status) {
    case 401: {
      const access = route.kind === "failure" ? [] : requiredAccess(route, request.method, url);
      const scope = scopeText(access);
      const isToken = /^bearer /i.test(request.headers.get("authorization") ?? "");
      const about = {
        ...(scope === undefined ? {} : { scope }),
        ...(isToken ? { error: "invalid_token" as const } : {}),
      };
      return errorResponse("UNAUTHORIZED", {
        detail: accessDetail(access),
        headers: { "www-authenticate": gate.challenge(request, about) },
      });
    }
    case 403:
      return errorResponse("DENIED", { message: refusal.message });
    case 429:
      return errorResponse("TOOMANYREQUESTS", {
        message: refusal.message,
        headers: { "retry-after": String(refusal.retryAfterSeconds) },
      });
    case 503:
      return errorResponse("UNAVAILABLE", { message: `${refusal.message}: ${refusal.hint}` });
  }
}

/** The refusal if the caller may not do this, else nothing. */
export function forbidden(call: Call, verb: RepositoryVerb, repository?: RepositoryName): Response | undefined {
  const { services, identity } = call;
  if (!services.gate.allows(identity, verb, repository)) return refuse(call, verb, repository);
  if (services.readOnly && (verb === "push" || verb === "delete")) {
    return errorResponse("UNSUPPORTED", { message: "the registry is read-only" });
  }
  return undefined;
}

/**
 * What is answered to someone who may not do this: who they are is asked of whoever did not say, and a better token of
 * whose token does not cover it. It is decided before anything is looked up, so that the answer is the same whether there
 * is such a repository or not.
 */
function refuse(call: Call, verb: RepositoryVerb, repository: RepositoryName | undefined): Response {
  const { services, identity, request } = call;
  const isOutOfScope = exceedsScope(call, verb, repository);
  const code = isAnonymous(identity) || isOutOfScope ? "UNAUTHORIZED" : "DENIED";
  const decision = { allowed: false, reason: "scope" };
  const entry = repositoryEntry(identity, verb, repository ?? "", { decision, status: ERRORS[code].status });
  // What no role allows is no matter of the token, which could not have been given for it.
  const reason = isOutOfScope ? decision.reason : identity.policy.decide(entry).reason;
  services.audit.record(request, { ...entry, reason, ...(repository === undefined ? { namespace: "" } : {}) });
  return code === "DENIED" ? errorResponse(code) : challenged(call);
}

/** `401` with what a token has to be good for. */
export function challenged({ services, identity, request, url, route }: Call): Response {
  const access = requiredAccess(route, request.method, url);
  const scope = scopeText(access);
  const about = {
    ...(scope === undefined ? {} : { scope }),
    ...(identity.credential.type === "token" ? { error: "insufficient_scope" as const } : {}),
  };
  return errorResponse("UNAUTHORIZED", {
    detail: accessDetail(access),
    headers: { "www-authenticate": services.gate.challenge(request, about) },
  });
}

/** Whether only the limits of the credential are in the way. */
function exceedsScope({ services, identity }: Call, verb: RepositoryVerb, repository?: RepositoryName): boolean {
  if (identity.scope === undefined) return false;
  const { scope: _scope, ...unlimited } = identity;
  return services.gate.allows(unlimited, verb, repository);
}

/** Notes what was done to a repository. `item` is `:<tag>` or `@<digest>`. */
export function recordDone(
  { services, identity, request }: Call,
  verb: RepositoryVerb,
  repository: RepositoryName,
  item: string,
  status: number,
): void {
  const entry = repositoryEntry(identity, verb, repository, { decision: { allowed: true, reason: "" }, status });
  const { reason } = services.gate.decide(identity, entry);
  services.audit.record(request, { ...entry, name: `${repository}${item}`, reason });
}
