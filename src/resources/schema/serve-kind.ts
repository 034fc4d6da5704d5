import type { z } from "zod";
import type { KindDeclaration, KindNames, SchemaNode, ServedKind } from "../kinds/kind.ts";
import { nodeFromZod } from "./from-zod.ts";
import { columnProblems, nameProblems, selectableFieldProblems } from "./kind-names.ts";
import { completeSchema } from "./object-meta.ts";
import { checkRuleSyntax } from "./cel/rules.ts";
import { elementOf, fieldOf, isRecord } from "./values.ts";

export { completeSchema } from "./object-meta.ts";

/**
 * A kind that code declares, made ready to be served.
 * @throws {Error} that says all that is wrong with the declaration
 */
export function serveKind(group: string, version: string, declaration: KindDeclaration): ServedKind {
  const names: KindNames = {
    kind: declaration.kind,
    plural: declaration.plural,
    singular: declaration.singular ?? declaration.kind.toLowerCase(),
    listKind: `${declaration.kind}List`,
    shortNames: declaration.shortNames ?? [],
    categories: declaration.categories ?? [],
  };
  const schema = schemaOf(declaration);
  const columns = declaration.columns ?? [];
  const selectableFields = declaration.selectableFields ?? [];
  const problems = [
    ...nameProblems(group, version, names),
    ...columnProblems(columns),
    ...selectableFieldProblems(selectableFields, schema),
    ...checkRuleSyntax(schema).map((cause) => `${cause.field}: ${cause.message}`),
    ...((declaration.spec === undefined) === (declaration.fields === undefined) ? ["it has a spec or fields"] : []),
    ...(declaration.spec === undefined || schema.properties?.["spec"]?.type === "object"
      ? []
      : ["spec must be an object"]),
  ];
  if (problems.length > 0) {
    throw new Error(
      `kind ${declaration.kind || "without a name"} of ${group || "the core group"}: ${problems.join("; ")}`,
    );
  }
  return {
    ...names,
    group,
    version,
    scope: declaration.scope,
    description: declaration.description,
    schema,
    columns,
    selectableFields,
    hasStatus: declaration.status !== undefined,
    ...(declaration.history === undefined ? {} : { history: declaration.history }),
    ...(declaration.checkName === undefined ? {} : { checkName: declaration.checkName }),
    refine: (object) => refine(object, declaration),
  };
}

function schemaOf(declaration: KindDeclaration): SchemaNode {
  const status =
    declaration.status === undefined
      ? {}
      : { status: described(nodeFromZod(declaration.status), "What is. Written by the server.") };
  const { properties, required = [] } = wantedOf(declaration);
  const node: SchemaNode = {
    properties: { ...properties, ...status },
    ...(required.length > 0 ? { required } : {}),
    ...(declaration.validations === undefined ? {} : { "x-kubernetes-validations": declaration.validations }),
  };
  return completeSchema(node, declaration.description);
}

/** What is wanted, as a part of the object or as the object itself. */
function wantedOf({ spec, fields }: KindDeclaration): SchemaNode {
  if (fields !== undefined) return nodeFromZod(fields);
  if (spec === undefined) return {};
  const node = withEmptyDefault(nodeFromZod(spec));
  return {
    properties: { spec: described(node, "What is wanted.") },
    required: (node.required?.length ?? 0) > 0 ? ["spec"] : [],
  };
}

function described(node: SchemaNode, description: string): SchemaNode {
  return node.description === undefined ? { ...node, description } : node;
}

/** An object without a spec gets the defaults of the spec's fields, if none of them has to be given. */
function withEmptyDefault(spec: SchemaNode): SchemaNode {
  const hasDefaults = Object.values(spec.properties ?? {}).some((node) => node.default !== undefined);
  const isOptional = (spec.required?.length ?? 0) === 0;
  return hasDefaults && isOptional && spec.default === undefined ? { ...spec, default: {} } : spec;
}

/** Has zod check what the schema cannot say. Of use only for objects that satisfy the schema. */
function refine(object: unknown, declaration: KindDeclaration): { field: string; message: string }[] {
  if (!isRecord(object)) return [];
  const parts: [string, z.ZodType | undefined][] = [
    ["spec", declaration.spec],
    ["status", declaration.status],
    ...Object.entries(declaration.fields?.shape ?? {}).map(([name, field]): [string, z.ZodType] => [
      name,
      field as z.ZodType,
    ]),
  ];
  return parts.flatMap(([name, schema]) => {
    const value = object[name];
    if (schema === undefined || value === undefined) return [];
    const result = schema.safeParse(value);
    if (result.success) return [];
    return result.error.issues.map((issue) => ({ field: pathOf(name, issue.path), message: issue.message }));
  });
}

function pathOf(name: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (field, key) => (typeof key === "number" ? elementOf(field, key) : fieldOf(field, String(key))),
    name,
  );
}
