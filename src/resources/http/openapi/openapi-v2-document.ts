import type { ServedGroup, ServedResource } from "../../kinds/api-model.ts";
import type { GroupVersionKind, SchemaNode } from "../../kinds/kind.ts";
import { META_SCHEMAS } from "./openapi-meta.ts";
import { PATCH_TYPES, collectionPath, kindOf, schemaName } from "./openapi-names.ts";
import { kindSchemas } from "./openapi-schemas.ts";

/** A schema as far as OpenAPI v2 goes. */
export interface SchemaV2 {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly items?: SchemaV2;
  readonly properties?: Readonly<Record<string, SchemaV2>>;
  readonly additionalProperties?: SchemaV2 | boolean;
  readonly "x-kubernetes-group-version-kind"?: readonly GroupVersionKind[];
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
}

/** A parameter of the path or the query. */
export interface ParameterV2 {
  readonly in: "path" | "query";
  readonly name: string;
  readonly type: "string" | "boolean";
  readonly description: string;
  readonly required?: boolean;
}

/** The operation that kubectl looks for: a patch, with what it may be told. */
export interface OperationV2 {
  readonly operationId: string;
  readonly consumes: readonly string[];
  readonly parameters: readonly ParameterV2[];
  readonly responses: { readonly "200": { readonly description: string; readonly schema: SchemaV2 } };
  readonly "x-kubernetes-action": "patch";
  readonly "x-kubernetes-group-version-kind": GroupVersionKind;
}

export interface DocumentV2 {
  readonly swagger: "2.0";
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, { readonly patch: OperationV2 }>>;
  readonly definitions: Readonly<Record<string, SchemaV2>>;
}

const SCALARS: ReadonlySet<string | undefined> = new Set(["string", "integer", "number", "boolean"]);

/**
 * The OpenAPI v2 document of all groups, as far as clients read it: every kind's schema, and of the operations the
 * patch, where kubectl 1.20 finds out whether the server can do dry runs.
 */
export function openApiV2Document(groups: readonly ServedGroup[]): DocumentV2 {
  const resources = groups.flatMap(({ versions }) => versions.flatMap((version) => version.resources));
  const definitions = [
    ...META_SCHEMAS.map(([name, node]) => [name, schemaV2(node)] as const),
    ...resources.flatMap(({ served }) =>
      kindSchemas(served, refer, toRecord).map(({ name, schema }) => [name, closedOrOpen(schema)] as const),
    ),
  ];
  const paths = resources
    .filter(({ storage }) => storage.update !== undefined)
    .map((resource) => [`${collectionPath(resource.served)}/{name}`, { patch: patchOf(resource) }] as const);
  return {
    swagger: "2.0",
    info: { title: "Entrepot", version: "v1" },
    paths: Object.fromEntries(paths),
    definitions: Object.fromEntries(definitions),
  };
}

/**
 * A kind that is open at its root has no properties here at all: clients that read v2 would take those for all there
 * are. @see kubernetes/apiextensions-apiserver, pkg/controller/openapi/builder, buildKubeNative
 */
function closedOrOpen(schema: SchemaV2): SchemaV2 {
  if (schema["x-kubernetes-preserve-unknown-fields"] !== true) return schema;
  const { properties: _properties, required: _required, ...open } = schema;
  return open;
}

function toRecord(node: SchemaNode): Readonly<Record<string, unknown>> {
  return { ...schemaV2(node) };
}

function refer(name: string, description: string): Readonly<Record<string, unknown>> {
  return { $ref: `#/definitions/${name}`, description };
}

/**
 * A node without what OpenAPI v2 and the clients that read it do not know. Where fields are open or may be null, they
 * would refuse what the server takes: there the schema says nothing.
 */
function schemaV2(node: SchemaNode): SchemaV2 {
  const isOpen = node["x-kubernetes-preserve-unknown-fields"] === true;
  const isNullableComposite = node.nullable === true && !SCALARS.has(node.type);
  const about: SchemaV2 = {
    ...(node.description === undefined ? {} : { description: node.description }),
    ...(isOpen ? { "x-kubernetes-preserve-unknown-fields": true } : {}),
    ...(node["x-kubernetes-int-or-string"] === true ? { "x-kubernetes-int-or-string": true } : {}),
  };
  if (node.type === undefined || isNullableComposite) return about;
  if (isOpen) return { ...about, type: node.type };
  return {
    ...about,
    type: node.type,
    ...(node.format === undefined ? {} : { format: node.format }),
    ...(node.required === undefined ? {} : { required: node.required }),
    ...(node.enum === undefined || node.nullable === true ? {} : { enum: node.enum }),
    ...(node.items === undefined ? {} : { items: schemaV2(node.items) }),
    ...(node.properties === undefined ? {} : { properties: propertiesV2(node.properties) }),
    ...(node.additionalProperties === undefined ? {} : { additionalProperties: valuesV2(node.additionalProperties) }),
  };
}

function propertiesV2(properties: Readonly<Record<string, SchemaNode>>): Readonly<Record<string, SchemaV2>> {
  return Object.fromEntries(Object.entries(properties).map(([name, node]) => [name, schemaV2(node)]));
}

function valuesV2(values: SchemaNode | boolean): SchemaV2 | boolean {
  return typeof values === "boolean" ? values : schemaV2(values);
}

function patchOf({ served }: ServedResource): OperationV2 {
  const kind = kindOf(served);
  const namespaced = served.scope === "Namespaced";
  const query = (name: string, type: ParameterV2["type"], description: string): ParameterV2 => ({
    in: "query",
    name,
    type,
    description,
  });
  const path = (name: string, description: string): ParameterV2 => ({
    in: "path",
    name,
    type: "string",
    description,
    required: true,
  });
  return {
    operationId: `patch${namespaced ? "Namespaced" : ""}${schemaName(kind)}`.replaceAll(/[.-]/g, "_"),
    consumes: PATCH_TYPES,
    parameters: [
      path("name", "Name of the object."),
      ...(namespaced ? [path("namespace", "Namespace of the object.")] : []),
      query("dryRun", "string", "All: do everything but the write."),
      query("fieldManager", "string", "Who the written fields will belong to."),
      query("fieldValidation", "string", "What to do about unknown fields: Strict, Warn or Ignore."),
      query("force", "boolean", "Take over fields that belong to others (apply only)."),
    ],
    responses: { "200": { description: "The object as it is now.", schema: refer(schemaName(kind), "The object.") } },
    "x-kubernetes-action": "patch",
    "x-kubernetes-group-version-kind": kind,
  };
}
