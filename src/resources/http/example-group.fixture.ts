import * as z from "zod";
import type { ServedGroup } from "../kinds/api-model.ts";
import type { KindDeclaration } from "../kinds/kind.ts";
import { serveKind } from "../schema/serve-kind.ts";
import type { Connecter, Storage } from "../storage/storage.ts";

// Groups for the tests of this folder; nothing is ever asked of their storage.

function unused(): never {
  throw new Error("not for use");
}

export const FULL_STORAGE: Required<Storage> = {
  get: unused,
  list: unused,
  create: unused,
  update: unused,
  delete: unused,
  deleteCollection: unused,
  watch: unused,
};

export const SYNC_TASK = {
  kind: "SyncTask",
  plural: "synctasks",
  shortNames: ["st"],
  categories: ["all"],
  scope: "Namespaced",
  description: "Copies images from one registry to another.",
  spec: z.object({
    source: z.string().min(1).describe("Where the images come from."),
    parallel: z.int().min(1).max(16).default(4).describe("How many images at once."),
    labels: z.record(z.string(), z.string()).optional().describe("Labels of the copies."),
    schedule: z
      .discriminatedUnion("type", [
        z.object({ type: z.literal("cron"), expression: z.string().describe("When, as cron writes it.") }),
        z.object({ type: z.literal("interval"), seconds: z.int().positive().describe("How often.") }),
      ])
      .optional()
      .describe("When to run."),
  }),
  status: z.object({
    phase: z.enum(["Pending", "Running", "Done"]).optional().describe("How far it has come."),
    conditions: z
      .array(z.object({ type: z.string(), status: z.string() }))
      .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] })
      .optional(),
  }),
  columns: [
    { name: "Phase", type: "string", jsonPath: ".status.phase" },
    { name: "Ready", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: "Parallel", type: "integer", jsonPath: ".spec.parallel", priority: 1 },
  ],
  selectableFields: [".spec.source"],
} as const satisfies KindDeclaration;

const RUN: Connecter = {
  subresource: "run",
  description: "Run the task now.",
  methods: ["POST", "GET"],
  connect: unused,
};

export const SYNC_GROUP: ServedGroup = {
  group: "sync.example.dev",
  versions: [
    {
      version: "v1",
      resources: [
        { served: serveKind("sync.example.dev", "v1", SYNC_TASK), storage: FULL_STORAGE, connecters: [RUN] },
        {
          served: serveKind("sync.example.dev", "v1", {
            kind: "Region",
            plural: "regions",
            scope: "Cluster",
            description: "A place.",
            spec: z.object({}),
          }),
          storage: { get: unused, list: unused },
          connecters: [],
        },
      ],
      routes: [
        {
          path: "/search/{term}",
          method: "GET",
          scope: "namespace",
          description: "Find tasks.",
          openapi: { operationId: "findTasks" },
          resource: "search",
          handle: unused,
        },
      ],
    },
  ],
  openapi: (document) => ({ ...document, "x-edited": true }),
};

export const CORE_GROUP: ServedGroup = {
  group: "",
  versions: [
    {
      version: "v1",
      resources: [
        {
          served: serveKind("", "v1", {
            kind: "Namespace",
            plural: "namespaces",
            shortNames: ["ns"],
            scope: "Cluster",
            description: "A namespace.",
            spec: z.object({}),
          }),
          storage: { get: unused, list: unused, create: unused },
          connecters: [],
        },
      ],
      routes: [],
    },
  ],
};
