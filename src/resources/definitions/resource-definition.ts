import * as z from "zod";
import type { KindDeclaration, SchemaNode } from "../kinds/kind.ts";

/** The group of the kinds by which the platform itself is extended. */
export const PLATFORM_GROUP = "platform.entrepot.dev";

/** Where definitions are, for the code that reads them. */
export const DEFINITIONS = { group: PLATFORM_GROUP, plural: "resourcedefinitions" } as const;

/** Definitions there may be; a page of the store holds them all. */
export const MAX_DEFINITIONS = 2000;

/** Holds a definition until the objects of its kind are gone. */
export const OBJECTS_FINALIZER = "platform.entrepot.dev/objects";

const schemaNode = z
  .looseObject({})
  .meta({ "x-kubernetes-preserve-unknown-fields": true })
  .describe(
    "OpenAPI v3 schema of the whole object, structural as Kubernetes defines it, with x-kubernetes-validations in CEL.",
  );

const columnSchema = z.object({
  name: z.string().min(1).describe("Heading."),
  type: z.enum(["string", "integer", "number", "boolean", "date"]).describe("Type of the values."),
  jsonPath: z.string().startsWith(".").describe("Where the value is, as `.spec.title`."),
  format: z.string().optional().describe("Format of the values."),
  description: z.string().optional().describe("What the column shows."),
  priority: z.number().int().min(0).optional().describe("0 is always shown, higher ones with `-o wide`."),
});

const pathOfCount = (description: string) => z.string().startsWith(".").describe(description);

const scaleSchema = z
  .object({
    specReplicasPath: pathOfCount("Where the wanted count is, as `.spec.replicas`."),
    statusReplicasPath: pathOfCount("Where the present count is, as `.status.replicas`."),
    labelSelectorPath: pathOfCount("Where the selector of what is counted is, as text.").optional(),
  })
  .describe("Serves `scale`, by which `kubectl scale` and autoscalers count objects up and down.");

export const definitionSpecSchema = z.object({
  group: z.string().describe("API group, a DNS name of at least two labels."),
  scope: z.enum(["Namespaced", "Cluster"]).default("Namespaced").describe("Whether objects are in namespaces."),
  names: z
    .object({
      kind: z.string().describe("Name of the kind, in CamelCase."),
      plural: z.string().describe("Name in paths, in lower case."),
      singular: z.string().optional().describe("The kind in lower case unless given."),
      listKind: z.string().optional().describe("Kind of a list of objects; the kind and `List` unless given."),
      shortNames: z.array(z.string()).optional().describe("Short names for kubectl."),
      categories: z.array(z.string()).optional().describe("Groups of kinds, such as `all`."),
    })
    .describe("How the kind is called."),
  versions: z
    .array(
      z.object({
        name: z.string().describe("Version, such as `v1` or `v1alpha1`."),
        served: z.boolean().optional().describe("Whether the API serves this version; `true` unless given."),
        storage: z
          .boolean()
          .optional()
          .describe("The version that stored objects are checked against; one must have it."),
        deprecated: z.boolean().optional().describe("Warns whoever uses the version."),
        schema: z.object({ openAPIV3Schema: schemaNode }).describe("What objects look like."),
        deprecationWarning: z.string().max(256).optional().describe("What users of a deprecated version are told."),
        subresources: z
          .object({
            status: z.looseObject({}).optional().describe("Separates `status` from the rest."),
            scale: scaleSchema.optional(),
          })
          .optional()
          .describe("Further endpoints of an object."),
        additionalPrinterColumns: z.array(columnSchema).optional().describe("Columns of `kubectl get`."),
        selectableFields: z
          .array(z.object({ jsonPath: z.string().startsWith(".") }))
          .optional()
          .describe("Fields that a field selector may name."),
      }),
    )
    .min(1)
    .describe("Versions. Clients are offered v2 before v1, and v1 before v1beta1."),
  conversion: z
    .object({ strategy: z.literal("None").describe("Versions differ in their name only.") })
    .optional()
    .describe("How objects of one version become those of another."),
  preserveUnknownFields: z
    .literal(false)
    .optional()
    .describe("Fields that a schema does not have are dropped; a schema says where they are kept."),
});

export const conditionSchema = z.object({
  type: z.string().describe("What it is about."),
  status: z.enum(["True", "False", "Unknown"]).describe("Whether it is so."),
  reason: z.string().describe("Why, in one word."),
  message: z.string().describe("Why, in a sentence."),
  lastTransitionTime: z.string().describe("When it last changed."),
});

export type Condition = z.infer<typeof conditionSchema>;

const definitionStatusSchema = z.object({
  conditions: z.array(conditionSchema).optional().describe("Established, NamesAccepted, ObjectsConform."),
});

export type DefinitionSpec = z.infer<typeof definitionSpecSchema>;
export type DefinitionStatus = z.infer<typeof definitionStatusSchema>;
export type DefinitionVersion = DefinitionSpec["versions"][number];

export const resourceDefinition: KindDeclaration<typeof definitionSpecSchema, typeof definitionStatusSchema> = {
  kind: "ResourceDefinition",
  plural: "resourcedefinitions",
  shortNames: ["rd"],
  scope: "Cluster",
  description: "Defines a kind: its names, versions and schemas. Objects of it can be created at once.",
  spec: definitionSpecSchema,
  status: definitionStatusSchema,
  columns: [
    { name: "Group", type: "string", jsonPath: ".spec.group" },
    { name: "Kind", type: "string", jsonPath: ".spec.names.kind" },
    { name: "Scope", type: "string", jsonPath: ".spec.scope" },
    { name: "Established", type: "string", jsonPath: '.status.conditions[?(@.type=="Established")].status' },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  ],
};

/** The schema of a version, as the engine takes it. */
export function schemaOf(version: DefinitionVersion): SchemaNode {
  return version.schema.openAPIV3Schema;
}
