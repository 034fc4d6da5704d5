import * as z from "zod";
import type { KindDeclaration } from "../kinds/kind.ts";
import { conditionSchema, definitionSpecSchema } from "./resource-definition.ts";

/** Parts of an app at the most: one request installs them all. */
const MAX_KINDS = 50;
const MAX_OBJECTS = 150;

const objectSchema = z
  .looseObject({
    apiVersion: z.string().describe("Group and version of the object."),
    kind: z.string().describe("Kind of the object."),
    metadata: z
      .looseObject({ name: z.string() })
      .meta({ "x-kubernetes-preserve-unknown-fields": true })
      .describe("Metadata of the object."),
  })
  .meta({ "x-kubernetes-preserve-unknown-fields": true, "x-kubernetes-embedded-resource": true });

export const appSpecSchema = z.object({
  title: z.string().min(1).max(100).describe("What people call the app."),
  description: z.string().max(2000).optional().describe("What the app is for."),
  version: z.string().max(100).optional().describe("Version of the app."),
  definitions: z
    .array(definitionSpecSchema)
    .max(MAX_KINDS)
    .default([])
    .describe("Kinds that the app brings: the `spec` of a ResourceDefinition each."),
  objects: z
    .array(objectSchema)
    .max(MAX_OBJECTS)
    .default([])
    .describe("Objects that the app brings, of its own kinds or of others."),
});

const appStatusSchema = z.object({
  conditions: z.array(conditionSchema).optional().describe("Installed."),
  definitions: z.number().int().optional().describe("Definitions installed."),
  objects: z.number().int().optional().describe("Objects installed."),
});

export type AppSpec = z.infer<typeof appSpecSchema>;
export type AppStatus = z.infer<typeof appStatusSchema>;
export type AppObject = AppSpec["objects"][number];

export const app: KindDeclaration<typeof appSpecSchema, typeof appStatusSchema> = {
  kind: "App",
  plural: "apps",
  scope: "Cluster",
  description: "Kinds and objects that are installed and removed as one.",
  spec: appSpecSchema,
  status: appStatusSchema,
  columns: [
    { name: "Title", type: "string", jsonPath: ".spec.title" },
    { name: "Version", type: "string", jsonPath: ".spec.version" },
    { name: "Kinds", type: "integer", jsonPath: ".status.definitions" },
    { name: "Objects", type: "integer", jsonPath: ".status.objects" },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  ],
};
