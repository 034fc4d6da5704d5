import { StatusError } from "../status-error.ts";
import type { ApiCall } from "./call.ts";
import { apiGroup, apiGroupList, apiResourceList, apiVersions, groupDiscoveryList } from "./discovery.ts";
import { discoveryContentType, negotiateDiscovery, negotiateOpenApiV2, OPENAPI_V2_PROTOBUF } from "./negotiate.ts";
import { openApiV2, openApiV2Document } from "./openapi/openapi-v2.ts";
import { openApiV3Document, openApiV3Index } from "./openapi/openapi-v3.ts";
import type { RequestInfo } from "./request-info.ts";

/** What the server calls itself. Clients compare the numbers with their own. */
const VERSION = {
  major: "1",
  minor: "30",
  gitVersion: "v1.30.0+entrepot",
  gitCommit: "0",
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "none",
  compiler: "workerd",
  platform: "cloudflare/workers",
} as const;

/** Paths that say that the server is up. */
const HEALTH = new Set(["/livez", "/readyz"]);

/** That the server is up, which anyone may know; `undefined` for other paths. */
export function serveHealth(method: string, path: string): Response | undefined {
  if (!HEALTH.has(path.replace(/\/$/, "")) || (method !== "GET" && method !== "HEAD")) return undefined;
  return new Response(method === "HEAD" ? null : "ok", { headers: { "content-type": "text/plain" } });
}

/** What the API says of itself: discovery, OpenAPI, version. `undefined` for other paths. */
export async function serveDescription(call: ApiCall, info: RequestInfo): Promise<Response | undefined> {
  const { method } = call.request;
  if (method !== "GET" && method !== "HEAD") return undefined;
  const accept = call.request.headers.get("accept");
  const { registry } = call.services;
  switch (info.kind) {
    case "versions": {
      const format = negotiateDiscovery(accept);
      const groups = await registry.groups();
      const core = info.root === "api";
      if (format === "legacy") return described(core ? apiVersions(groups) : apiGroupList(groups));
      return described(groupDiscoveryList(groups, core ? "core" : "named", format), discoveryContentType(format));
    }
    case "group": {
      const group = (await registry.groups()).find((candidate) => candidate.group === info.group);
      if (group === undefined) throw new StatusError("NotFound", "the server could not find the requested resource");
      return described(apiGroup(group));
    }
    case "group-version": {
      const found = await registry.version(info.group, info.version);
      if (found === undefined) throw new StatusError("NotFound", "the server could not find the requested resource");
      return described(apiResourceList(info.group, found.version));
    }
    case "other":
      return other(call, info.path, accept);
    case "resource":
      return undefined;
  }
}

async function other(call: ApiCall, path: string, accept: string | null): Promise<Response | undefined> {
  if (path === "/version") return described(VERSION);
  if (path === "/openapi/v2") {
    const groups = await call.services.registry.groups();
    if (negotiateOpenApiV2(accept) === "json") return described(openApiV2Document(groups));
    return new Response(openApiV2(groups), { headers: { "content-type": OPENAPI_V2_PROTOBUF, vary: "Accept" } });
  }
  if (path === "/openapi/v3") return described(openApiV3Index(await call.services.registry.groups()));
  if (path.startsWith("/openapi/v3/")) return openApiV3(call, path.slice("/openapi/v3/".length));
  return undefined;
}

/** The document of one group and version: `api/v1`, or `apis/<group>/<version>`. */
async function openApiV3(call: ApiCall, place: string): Promise<Response> {
  const [root, ...rest] = place.split("/");
  const [group = "", version = ""] = root === "api" ? ["", rest[0]] : rest;
  const found = await call.services.registry.version(group, version);
  const document = found === undefined ? undefined : openApiV3Document(found.group, version);
  if (document === undefined) throw new StatusError("NotFound", "the server could not find the requested resource");
  return new Response(document.body, { headers: { ...DESCRIBED, "content-type": "application/json" } });
}

/** What is said now may not be so in a moment: kinds come and go. */
const DESCRIBED = { vary: "Accept", "cache-control": "no-cache, private" } as const;

function described(body: unknown, contentType = "application/json"): Response {
  return Response.json(body, { headers: { ...DESCRIBED, "content-type": contentType } });
}
