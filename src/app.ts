import { Hono } from "hono";
import {
  answerBeforeRest,
  requestTargets,
  restError,
  restFailure,
  strictTransport,
  withHeaders,
  withSecurityHeaders,
} from "./http/index.ts";
import { authApi } from "./auth/index.ts";
import { distribution, errorResponse } from "./distribution/index.ts";
import { usageApi } from "./operations/index.ts";
import { ConfigError, type Env } from "./platform/index.ts";
import { resourceApi, StatusError } from "./resources/index.ts";
import { heard, type Services, servicesOf } from "./services.ts";
import { SYNC_PATHS, syncApi } from "./sync/index.ts";
import { auditApi } from "./audit/index.ts";

const isWellFormed = requestTargets();

/**
 * Answers a request. All surfaces are here, each under its own prefix and with its own way to say what went wrong. The
 * registry is in front of the router: its requests are many and small, and the router would be a fifth of their cost.
 */
export async function serve(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
  if (!isWellFormed(request))
    return new Response("the target or the Host header is not well-formed\n", { status: 400 });
  heard();
  const path = request.url.slice(request.url.indexOf("/", "https://".length));
  const registry = /^\/v2(?:[/?]|$)/.test(path);
  const services = configured(env);
  const preflight = services?.cors?.preflight(request);
  if (preflight !== undefined) return preflight;
  const made = registry ? await registryApi(request, env) : await app.fetch(request, env, context);
  const answer = await answerBeforeRest(request, made);
  const response = withSecurityHeaders(answer, {
    registry,
    strictTransport: strictTransport(request.url, services?.config.PUBLIC_SCHEME),
  });
  if (services === undefined || response.status === 101) return response;
  const named = withHeaders(response, { "x-request-id": services.requestId(request) });
  return services.cors?.withCors(request, named) ?? named;
}

/** `undefined` if a setting is wrong; the surfaces say so, each in its own way. */
function configured(env: Env): Services | undefined {
  try {
    return servicesOf(env);
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

async function registryApi(request: Request, env: Env): Promise<Response> {
  try {
    return await distribution(servicesOf(env).distribution, request);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return errorResponse("UNAVAILABLE", { message: `configuration: ${error.message}` });
  }
}

/** The router of every surface but the registry's. Clients of Kubernetes put a slash after any of its paths. */
export const app = new Hono<{ Bindings: Env }>({ strict: false });

// The second is what clients of registry-sync ask.
for (const path of ["/healthz", "/api/v1/health"]) {
  app.get(path, (context) => {
    servicesOf(context.env);
    return context.json({ status: "ok" });
  });
}

const rest = new Hono<{ Bindings: Env }>();
rest.all("/api/v1/usage", ({ env, req }) => usageApi(servicesOf(env).usage, req.raw));
for (const path of ["/api/v1/audit", "/api/v1/audit/*"]) {
  rest.all(path, ({ env, req }) => auditApi(servicesOf(env).audit, req.raw));
}
for (const path of SYNC_PATHS) rest.all(path, ({ env, req }) => syncApi(servicesOf(env).syncRest, req.raw));
for (const path of ["/auth", "/auth/*", "/.well-known/*"]) {
  rest.all(path, ({ env, req }) => authApi(servicesOf(env).access, req.raw));
}
rest.onError((error, { env, req }) => {
  if (error instanceof ConfigError) return restError(503, "the server is not configured rightly", error.message);
  return restFailure(error, servicesOf(env).reportFailure(req.raw, error));
});
app.route("/", rest);

const control = new Hono<{ Bindings: Env }>();
for (const path of ["/api", "/api/*", "/apis", "/apis/*", "/openapi/*", "/version", "/livez", "/readyz"]) {
  control.all(path, ({ env, req }) => resourceApi(servicesOf(env).resources, req.raw));
}
control.onError((error) => {
  if (!(error instanceof ConfigError)) throw error;
  return Response.json(new StatusError("ServiceUnavailable", `configuration: ${error.message}`).toStatus(), {
    status: 503,
  });
});
app.route("/", control);

app.onError((error, context) => {
  if (error instanceof ConfigError) return context.json({ status: "misconfigured", message: error.message }, 503);
  return restError(500, "internal error", { id: servicesOf(context.env).reportFailure(context.req.raw, error) });
});

/** Everything else is a page, or nothing. */
app.notFound(({ env, req }) => env.ASSETS?.fetch(withoutBody(req.raw)) ?? new Response("not found\n", { status: 404 }));

/** What pages are asked for has no body; one that came along stays here, to be dropped. */
function withoutBody({ url, method, headers }: Request): Request {
  return new Request(url, { method, headers });
}
