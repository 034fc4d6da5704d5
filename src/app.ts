import { Hono } from "hono";
import { distribution, errorResponse } from "./distribution/index.ts";
import { ConfigError, type Env } from "./platform/index.ts";
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
registry.onError((error, { env }) => {
  if (error instanceof ConfigError) return errorResponse("UNAVAILABLE", { message: `configuration: ${error.message}` });
  const id = crypto.randomUUID();
  servicesOf(env).log.error("request.failed", { id, error });
  return errorResponse("UNKNOWN", { detail: { id } });
});
app.route("/", registry);

app.onError((error, context) => {
  if (error instanceof ConfigError) return context.json({ status: "misconfigured", message: error.message }, 503);
  throw error;
});

/** Everything else is a page, or nothing. */
app.notFound(({ env, req }) => env.ASSETS?.fetch(req.raw) ?? new Response("not found\n", { status: 404 }));
