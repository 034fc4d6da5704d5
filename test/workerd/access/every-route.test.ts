import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { hashSync } from "bcryptjs";
import { beforeAll, describe, expect, it } from "vitest";
import { app, serve } from "../../../src/app.ts";
import { ROUTES } from "../../../src/distribution/index.ts";
import type { Env } from "../../../src/platform/index.ts";
import { verbsOf } from "../../../src/resources/kinds/api-model.ts";
import { isRestorer } from "../../../src/resources/storage/storage.ts";
import { servicesOf } from "../../../src/services.ts";
import { SYNC_PATHS, SYNC_ROUTES } from "../../../src/sync/index.ts";
import { bindings } from "../bindings.ts";
import { pushImage } from "../content-images.ts";
import { createKernel } from "../fixture.ts";
import { AUTH_ROUTES } from "../../../src/auth/routes.ts";

// Every route there is, asked by nobody and by someone who may do nothing. A route that is added without a rule, or
// without a place in these tables, fails here.

const PASSWORD = "correct horse battery staple";
const env: Env & Record<string, unknown> = {
  ...bindings,
  ACCESS: "closed",
  ADMIN_PASSWORD: PASSWORD,
  HTPASSWD: `powerless:${hashSync(PASSWORD, 4)}`,
  HTPASSWD_ROLE: "none",
  AUTH_CHALLENGE: "token",
};

const NOBODY = {};
const POWERLESS = { authorization: `Basic ${btoa(`powerless:${PASSWORD}`)}` };

/** Paths that anyone may ask. */
const PUBLIC = ["/healthz", "/api/v1/health", "/livez", "/readyz"];

/** What everyone who signed in may ask: what the API is, and who they are. */
const FOR_EVERY_USER = [
  "GET /v2/",
  "HEAD /v2/",
  "GET /version",
  "GET /openapi/v2",
  "GET /openapi/v3",
  "GET /api",
  "GET /apis",
  "POST /apis/authentication.k8s.io/v1/selfsubjectreviews",
  "POST /apis/authentication.k8s.io/v1beta1/selfsubjectreviews",
  "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
  "POST /apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
  "GET /apis/iam.entrepot.dev/v1/display",
  "GET /api/v1/openapi.json",
];

/** Endpoints of our own with `{error, details}`, and their methods. */
const REST: Readonly<Record<string, readonly string[]>> = {
  "/api/v1/usage": ["GET", "HEAD", "POST"],
  "/api/v1/audit": ["GET", "HEAD", "POST"],
  "/api/v1/audit/verify": ["GET", "HEAD", "POST"],
  ...restOfSync(),
};

/** The endpoints of mirroring, with a number and a name in them. */
function restOfSync(): Record<string, string[]> {
  const methods: Record<string, string[]> = {};
  for (const { method, path } of SYNC_ROUTES) {
    (methods[path.replace(":id", "1").replace(":project", "library")] ??= []).push(method);
  }
  return methods;
}

/** Paths of the router that the resource API serves. */
const RESOURCE_API = ["/api", "/api/*", "/apis", "/apis/*", "/openapi/*", "/version", "/livez", "/readyz"];

async function send(method: string, path: string, headers: Record<string, string>): Promise<Response> {
  const context = createExecutionContext();
  const body = ["POST", "PUT", "PATCH"].includes(method) ? { body: unreadable() } : {};
  const type = { "content-type": method === "PATCH" ? "application/merge-patch+json" : "application/json" };
  const request = new Request(`https://registry${path}`, { method, headers: { ...type, ...headers }, ...body });
  const response = await serve(request, env, context);
  await response.body?.cancel();
  await waitOnExecutionContext(context);
  return response;
}

/** A body that fails whoever reads it: permission is asked before. */
function unreadable(): ReadableStream<Uint8Array> {
  const pull = (): never => {
    throw new Error("the body was read");
  };
  return new ReadableStream<Uint8Array>({ pull }, { highWaterMark: 0 });
}

/** Asks a route as nobody and as someone without roles; answers what is wrong with it. */
async function faultOf(method: string, path: string): Promise<string[]> {
  const nobody = await send(method, path, NOBODY);
  const powerless = await send(method, path, POWERLESS);
  const faults: string[] = [];
  if (nobody.status !== 401) faults.push(`${method} ${path}: nobody gets ${nobody.status}`);
  if (nobody.headers.get("www-authenticate") === null) faults.push(`${method} ${path}: no challenge`);
  const expected = FOR_EVERY_USER.includes(`${method} ${path}`) ? [200, 201, 207, 400] : [403];
  if (!expected.includes(powerless.status)) faults.push(`${method} ${path}: powerless gets ${powerless.status}`);
  return faults;
}

async function faultsOf(routes: Iterable<readonly [method: string, path: string]>): Promise<string[]> {
  const faults: string[] = [];
  for (const [method, path] of routes) faults.push(...(await faultOf(method, path)));
  return faults;
}

beforeAll(async () => {
  await pushImage(createKernel(), "private/app", ["v1"]);
});

describe("the registry", () => {
  const digest = `sha256:${"0".repeat(64)}`;
  const parts = { "<name>": "private/app", "<reference>": "v1", "<digest>": digest, "<id>": "1-2" };
  const fill = (path: string) => path.replaceAll(/<[a-z]+>/g, (part) => parts[part as keyof typeof parts]);

  it.each(Object.entries(ROUTES))("%s", async (_kind, { path, methods }) => {
    expect(await faultsOf(methods.map((method) => [method, fill(path)] as const))).toEqual([]);
  });

  it.each(["GET", "HEAD", "PUT", "DELETE"])("says the same of what is there and what is not: %s", async (method) => {
    for (const who of [NOBODY, POWERLESS]) {
      const there = await send(method, "/v2/private/app/manifests/v1", who);
      const absent = await send(method, "/v2/private/nix/manifests/v1", who);
      expect(there.status).toBe(absent.status);
    }
  });
});

describe("the resource API", () => {
  const OBJECTS = { get: "GET", update: "PUT", patch: "PATCH", delete: "DELETE" };
  const COLLECTIONS = { list: "GET", create: "POST", deletecollection: "DELETE" };

  /** Every route of every kind that is registered. */
  async function* kindRoutes(): AsyncGenerator<readonly [string, string]> {
    for (const { group, versions } of await servicesOf(env).resources.registry.groups()) {
      for (const { version, resources, routes } of versions) {
        const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
        for (const { served, storage, connecters } of resources) {
          const collection = `${root}${served.scope === "Cluster" ? "" : "/namespaces/team-a"}/${served.plural}`;
          const verbs = new Set(verbsOf(storage));
          for (const [verb, method] of Object.entries(COLLECTIONS)) if (verbs.has(verb)) yield [method, collection];
          for (const [verb, method] of Object.entries(OBJECTS)) if (verbs.has(verb)) yield [method, `${collection}/x`];
          if (verbs.has("list")) yield ["GET", `${root}/${served.plural}`];
          if (verbs.has("watch")) yield ["GET", `${collection}?watch=true`];
          for (const method of served.hasStatus ? ["GET", "PUT", "PATCH"] : [])
            yield [method, `${collection}/x/status`];
          if (isRestorer(storage)) yield ["POST", `${collection}/x/restore`];
          for (const { subresource, methods } of connecters) {
            for (const method of methods) yield [method, `${collection}/x/${subresource}`];
          }
        }
        for (const { path, method, scope } of routes) {
          yield [method, `${root}${scope === "namespace" ? "/namespaces/team-a" : ""}${path}`];
        }
      }
    }
  }

  it("refuses every route of every kind", async () => {
    const routes: (readonly [string, string])[] = [];
    for await (const route of kindRoutes()) routes.push(route);
    expect(routes.length).toBeGreaterThan(50);
    expect(await faultsOf(routes)).toEqual([]);
  }, 120_000);

  it("says what it is to users only", async () => {
    const described = new Set<string>(["/version", "/openapi/v2", "/openapi/v3", "/api", "/apis"]);
    const faults = await faultsOf([...described].map((path) => ["GET", path] as const));
    for (const { group, versions } of await servicesOf(env).resources.registry.groups()) {
      for (const { version } of versions) {
        const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
        for (const path of [root, `/openapi/v3${root}`, ...(group === "" ? [] : [`/apis/${group}`])]) {
          if ((await send("GET", path, NOBODY)).status !== 401) faults.push(`GET ${path}: nobody`);
          if ((await send("GET", path, POWERLESS)).status !== 200) faults.push(`GET ${path}: powerless`);
        }
      }
    }
    expect(faults).toEqual([]);
  });

  it("answers reviews of users only", async () => {
    const posts = FOR_EVERY_USER.filter((route) => route.startsWith("POST "));
    expect(await faultsOf(posts.map((route) => ["POST", route.slice("POST ".length)] as const))).toEqual([]);
  });

  it("reads a bulk write only for those who may write something somewhere", async () => {
    expect(await faultsOf([["POST", "/api/v1/apply"]])).toEqual([]);
  });
});

describe("the router", () => {
  it("has no route that is in no table", () => {
    const known = new Set([...PUBLIC, ...RESOURCE_API, ...Object.keys(REST), "/api/v1/audit/*", ...SYNC_PATHS]);
    const isAccess = (path: string) =>
      ["/auth/*", "/.well-known/*", "/auth", ...AUTH_ROUTES.map((route) => route.path)].includes(path);
    // What is before all routes, such as headers.
    const isMiddleware = (path: string) => path === "*" || path === "/*";
    const unknown = app.routes.filter(({ path }) => !known.has(path) && !isAccess(path) && !isMiddleware(path));
    expect(unknown.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
  });

  it.each(PUBLIC)("answers everyone: %s", async (path) => {
    for (const who of [NOBODY, POWERLESS]) expect((await send("GET", path, who)).status).toBe(200);
  });

  it("refuses our own endpoints", async () => {
    const routes = Object.entries(REST).flatMap(([path, methods]) => methods.map((method) => [method, path] as const));
    expect(await faultsOf(routes)).toEqual([]);
  });

  it("asks who it is at what is for users, and gives nothing at what is not", async () => {
    for (const { method, path, rule } of AUTH_ROUTES) {
      const { status } = await send(method, path.replace(":issuer", "no-such"), NOBODY);
      if (rule === "authenticated") expect(`${method} ${path} ${status}`).toBe(`${method} ${path} 401`);
    }
    const open = AUTH_ROUTES.filter(({ rule }) => rule === "public").map(({ method, path }) => `${method} ${path}`);
    expect(open.toSorted()).toEqual([
      "GET /.well-known/jwks.json",
      "GET /auth/callback/:issuer",
      "GET /auth/login/:issuer",
      "GET /auth/providers",
      "GET /auth/session",
      "GET /auth/token",
      "POST /auth/login",
      "POST /auth/logout",
      "POST /auth/token",
    ]);
  });
});

describe("a deployment without any credential", () => {
  it.each([
    ["GET", "/v2/"],
    ["GET", "/v2/private/app/manifests/v1"],
    ["GET", "/api/v1/namespaces"],
    ["GET", "/version"],
    ["GET", "/api/v1/usage"],
  ])("refuses %s %s and says what to set", async (method, path) => {
    const { ADMIN_PASSWORD: _password, HTPASSWD: _htpasswd, ...rest } = env;
    const context = createExecutionContext();
    const response = await serve(new Request(`https://registry${path}`, { method }), rest, context);
    expect(response.status).toBe(503);
    expect(await response.text()).toContain("ADMIN_PASSWORD");
  });
});
