import * as z from "zod";
import { CHANNEL_ROUTES } from "./channels.ts";
import { CONFIG_ROUTES } from "./configuration.ts";
import { EXECUTION_ROUTES } from "./executions.ts";
import { LIVE_ROUTE } from "./live.ts";
import { openApiDocument } from "./openapi.ts";
import { REGISTRY_ROUTES } from "./registries.ts";
import { type RestRoute, route } from "./route.ts";
import { STATS_ROUTE } from "./stats.ts";
import { TASK_ROUTES } from "./tasks.ts";

const DOCUMENT_ROUTE: RestRoute = route({
  method: "GET",
  path: "/api/v1/openapi.json",
  summary: "This document",
  tag: "about",
  asked: "anyone",
  status: 200,
  answer: z.record(z.string(), z.unknown()),
  handle: async () => Response.json(openApiDocument(SYNC_ROUTES)),
});

/** Everything that the REST API of mirroring serves. */
export const SYNC_ROUTES: readonly RestRoute[] = [
  ...REGISTRY_ROUTES,
  ...TASK_ROUTES,
  ...EXECUTION_ROUTES,
  STATS_ROUTE,
  LIVE_ROUTE,
  ...CONFIG_ROUTES,
  ...CHANNEL_ROUTES,
  DOCUMENT_ROUTE,
];

/** Paths of a router that lead to `syncApi`. */
export const SYNC_PATHS: readonly string[] = [
  "registries",
  "tasks",
  "executions",
  "stats",
  "ws",
  "sync",
  "notifications",
  "openapi.json",
].flatMap((name) => [`/api/v1/${name}`, `/api/v1/${name}/*`]);
