import { Hono } from "hono";
import { distribution, errorResponse } from "./distribution/index.ts";
import { ConfigError, type Env } from "./platform/index.ts";
import { resourceApi, StatusError } from "./resources/index.ts";
import { servicesOf } from "./services.ts";

/** All surfaces, each under its own prefix and with its own way to say what went wrong. */
export const app = new Hono<{ Bindings: Env }>();

app.get("/healthz", (context) => {
  servicesOf(context.env);
  return context.json({ status: "ok" });
});

const registry = new Hono<{ Bindings: Env }>();
registry.all("/v2", ({ env, req }) => distribution(servicesOf(env).distribution, req.raw));
registry.all("/v2/*", ({ env, req }) => distribution(servicesOf(env).distribution, req.raw));
registry.onError((error) => {
  if (!(error instanceof ConfigError)) throw error;
  return errorResponse("UNAVAILABLE", { message: `configuration: ${error.message}` });
});
app.route("/", registry);

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
