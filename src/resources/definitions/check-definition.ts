import type { SchemaNode } from "../kinds/kind.ts";
import type { ResourceInput, ResourceObject } from "../objects/object.ts";
import { checkRuleSyntax } from "../schema/cel/rules.ts";
import { columnProblems, nameProblems, selectableFieldProblems } from "../schema/kind-names.ts";
import { completeSchema } from "../schema/serve-kind.ts";
import { checkStructural } from "../schema/structural.ts";
import type { StatusCause } from "../status-error.ts";
import { columnsOf } from "./defined-groups.ts";
import { type DefinitionSpec, type DefinitionVersion, schemaOf } from "./resource-definition.ts";

/** Groups that the platform keeps for itself, and those of Kubernetes. */
const RESERVED = /(^|\.)(entrepot\.dev|k8s\.io)$/;

/** What is wrong with a definition, beyond the shape that its schema asks for. */
export function checkDefinition(
  name: string,
  object: ResourceInput,
  oldObject: ResourceObject | undefined,
): StatusCause[] {
  const spec = object.spec as DefinitionSpec;
  const { group, names, versions, scope } = spec;
  const before = oldObject?.spec as DefinitionSpec | undefined;
  const causes: StatusCause[] = [];
  const must = (good: boolean, field: string, message: string): void => {
    if (!good) causes.push({ reason: "FieldValueInvalid", field, message: `Invalid value: ${message}` });
  };
  const expected = `${names.plural}.${group}`;
  must(name === expected, "metadata.name", `"${name}": must be spec.names.plural+"."+spec.group`);
  must(!RESERVED.test(group), "spec.group", `"${group}": the group is reserved`);
  must(before === undefined || before.scope === scope, "spec.scope", "field is immutable");
  must(versions.filter(({ storage }) => storage).length === 1, "spec.versions", "one must have storage: true, no more");
  const distinct = new Set(versions.map((version) => version.name)).size;
  must(distinct === versions.length, "spec.versions", "names of versions must differ");
  versions.forEach((version, index) => causes.push(...checkVersion(spec, version, `spec.versions[${index}]`)));
  return causes;
}

function checkVersion(spec: DefinitionSpec, version: DefinitionVersion, field: string): StatusCause[] {
  const { kind, plural, singular = kind.toLowerCase(), listKind = `${kind}List` } = spec.names;
  const { shortNames = [], categories = [] } = spec.names;
  const schema = schemaOf(version);
  const selectable = (version.selectableFields ?? []).map(({ jsonPath }) => jsonPath);
  const about = (part: string, problems: readonly string[]): StatusCause[] =>
    problems.map((message) => ({ reason: "FieldValueInvalid", field: part, message: `Invalid value: ${message}` }));
  const schemaCauses = checkSchema(schema, `${field}.schema.openAPIV3Schema`);
  if (schemaCauses.length > 0) return schemaCauses;
  return [
    ...about(
      "spec",
      nameProblems(spec.group, version.name, { kind, plural, singular, listKind, shortNames, categories }),
    ),
    ...about(`${field}.subresources.scale`, scaleProblems(version, completeSchema(schema))),
    ...about(`${field}.additionalPrinterColumns`, columnProblems(columnsOf(version))),
    ...about(`${field}.selectableFields`, selectableFieldProblems(selectable, completeSchema(schema))),
  ];
}

/** The wanted count is written, so it must be there to be written to. */
function scaleProblems({ subresources }: DefinitionVersion, schema: SchemaNode): string[] {
  const paths = Object.entries(subresources?.scale ?? {});
  const roots = { specReplicasPath: ".spec.", statusReplicasPath: ".status." } as const;
  return paths.flatMap(([name, path]) => {
    if (path === undefined) return [];
    const root = name in roots ? roots[name as keyof typeof roots] : undefined;
    if (root !== undefined && !path.startsWith(root)) return [`${name} "${path}" must begin with ${root}`];
    const node = nodeAt(schema, path);
    const type = root === undefined ? "string" : "integer";
    return node === undefined || node.type === type ? [] : [`${name} "${path}" must be ${type} in the schema`];
  });
}

function nodeAt(schema: SchemaNode, path: string): SchemaNode | undefined {
  const names = path.slice(1).split(".");
  return names.reduce<SchemaNode | undefined>((node, name) => node?.properties?.[name], schema);
}

function checkSchema(schema: SchemaNode, field: string): StatusCause[] {
  const causes = [...checkStructural(schema)];
  if (causes.length === 0) causes.push(...checkRuleSyntax(completeSchema(schema)));
  return causes.map((cause) => ({ ...cause, field: cause.field === "" ? field : `${field}.${cause.field}` }));
}
