import { Hono } from "hono";
import { distribution, errorResponse } from "./distribution/index.ts";
import { restError, usageApi } from "./operations/index.ts";
import { ConfigError, type Env } from "./platform/index.ts";
import { resourceApi, StatusError } from "./resources/index.ts";
import { servicesOf } from "./services.ts";

/**
 * Answers a request. All surfaces are here, each under its own prefix and with its own way to say what went wrong. The
 * registry is in front of the router: its requests are many and small, and the router would be a fifth of their cost.
 */
export async function serve(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
  const path = request.url.slice(request.url.indexOf("/", "https://".length));
  return /^\/v2(?:[/?]|$)/.test(path) ? registry(request, env) : app.fetch(request, env, context);
}

async function registry(request: Request, env: Env): Promise<Response> {
  try {
    return await distribution(servicesOf(env).distribution, request);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return errorResponse("UNAVAILABLE", { message: `configuration: ${error.message}` });
  }
}

const app = new Hono<{ Bindings: Env }>();

app.get("/healthz", (context) => {
  servicesOf(context.env);
  return context.json({ status: "ok" });
});

const rest = new Hono<{ Bindings: Env }>();
rest.all("/api/v1/usage", ({ env, req }) => usageApi(servicesOf(env).usage, req.raw));
rest.onError((error) => {
  if (!(error instanceof ConfigError)) throw error;
  return restError(503, "the server is not configured rightly", error.message);
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
  throw error;
});

/** Everything else is a page, or nothing. */
app.notFound(({ env, req }) => env.ASSETS?.fetch(req.raw) ?? new Response("not found\n", { status: 404 }));
