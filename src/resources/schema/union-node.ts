import type { SchemaNode } from "../kinds/kind.ts";
import { equalJson } from "./values.ts";

/** A node that accepts anything and keeps it. */
export const ANYTHING: SchemaNode = { "x-kubernetes-preserve-unknown-fields": true };

/**
 * One structure for all members of a union. What sets the members apart stays below `anyOf`, as constraints; a default
 * stays only if all members agree on it, since it would be filled in whichever member is meant.
 */
export function mergedUnion(members: readonly SchemaNode[]): SchemaNode {
  const present = members.filter((member) => !isNullOnly(member));
  const nullable = present.length < members.length || present.some((member) => member.nullable === true);
  const [first] = present;
  const node = first !== undefined && present.length === 1 ? first : mergedMembers(present);
  return nullable ? { ...node, nullable: true } : node;
}

function isNullOnly(member: SchemaNode): boolean {
  return member.enum?.length === 1 && member.enum[0] === null;
}

function mergedMembers(members: readonly SchemaNode[]): SchemaNode {
  const types = new Set(members.map((member) => member.type));
  if (types.size === 1 && members.every((member) => member.enum !== undefined)) return mergedEnums(members);
  if (types.size === 2 && types.has("string") && types.has("integer")) return { "x-kubernetes-int-or-string": true };
  const [type] = types;
  if (types.size !== 1 || type === undefined) return ANYTHING;
  const structure = type === "object" ? mergedObjects(members, true) : { type, ...agreedItems(members) };
  const constraints = members.map(constraintsOf);
  // A member without constraints is satisfied by every value of the structure.
  const isFree = constraints.some((constraint) => Object.keys(constraint).length === 0);
  return isFree ? structure : { ...structure, anyOf: constraints };
}

function mergedEnums(members: readonly SchemaNode[]): SchemaNode {
  const { type } = members[0] ?? {};
  const values = [...new Set(members.flatMap((member) => member.enum ?? []))];
  return { ...(type === undefined ? ANYTHING : { type }), enum: values };
}

function agreedItems(members: readonly SchemaNode[]): SchemaNode {
  const [first] = members;
  if (first?.items === undefined) return {};
  return { items: members.every((member) => equalJson(member.items, first.items)) ? first.items : ANYTHING };
}

function mergedObjects(members: readonly SchemaNode[], areAlternatives: boolean): SchemaNode {
  const names = [...new Set(members.flatMap((member) => Object.keys(member.properties ?? {})))];
  const properties = names.map((name): [string, SchemaNode] => {
    const nodes = members.flatMap((member) => member.properties?.[name] ?? []);
    return [name, mergedField(nodes, areAlternatives ? members.length : nodes.length)];
  });
  const required = names.filter((name) => members.every((member) => member.required?.includes(name) === true));
  const isOpen = members.some(
    (member) => member.additionalProperties !== undefined || member["x-kubernetes-preserve-unknown-fields"] === true,
  );
  return {
    type: "object",
    properties: Object.fromEntries(properties),
    ...(required.length > 0 ? { required } : {}),
    ...(isOpen ? ANYTHING : {}),
  };
}

function mergedField(nodes: readonly SchemaNode[], memberCount: number): SchemaNode {
  const [first] = nodes;
  if (first === undefined) return ANYTHING;
  const agreed = nodes.every((node) => equalJson(node, first)) ? first : described(mergedUnion(nodes), nodes);
  if (nodes.length === memberCount && nodes.every((node) => equalJson(node.default, first.default))) {
    return first.default === undefined ? agreed : { ...agreed, default: first.default };
  }
  const { default: _default, ...withoutDefault } = agreed;
  return withoutDefault;
}

function described(node: SchemaNode, nodes: readonly SchemaNode[]): SchemaNode {
  const descriptions = [...new Set(nodes.flatMap((other) => other.description ?? []))];
  return descriptions.length === 0 ? node : { ...node, description: descriptions.join(" ") };
}

/** All members of an intersection at once. Their fields come together; what else they say must hold for each. */
export function mergedIntersection(members: readonly SchemaNode[]): SchemaNode {
  const types = new Set(members.map((member) => member.type).filter((type) => type !== undefined));
  const [type] = types;
  if (types.size !== 1 || type === undefined) return ANYTHING;
  const constraints = members.map(constraintsOf).filter((constraint) => Object.keys(constraint).length > 0);
  const allOf = constraints.length > 0 ? { allOf: constraints } : {};
  if (type !== "object") return { type, ...agreedItems(members), ...allOf };
  const { required: _required, ...structure } = mergedObjects(members, false);
  const required = [...new Set(members.flatMap((member) => member.required ?? []))];
  return { ...structure, ...(required.length > 0 ? { required } : {}), ...allOf };
}

/** What a node demands, without what it describes: the form that a structural schema allows below `anyOf`. */
export function constraintsOf(node: SchemaNode): SchemaNode {
  const {
    type: _type,
    description: _description,
    default: _default,
    nullable: _nullable,
    writeOnly: _writeOnly,
    additionalProperties: _additionalProperties,
    "x-kubernetes-preserve-unknown-fields": _preserve,
    "x-kubernetes-int-or-string": _intOrString,
    "x-kubernetes-embedded-resource": _embedded,
    "x-kubernetes-list-type": _listType,
    "x-kubernetes-list-map-keys": _listMapKeys,
    "x-kubernetes-map-type": _mapType,
    "x-kubernetes-validations": _validations,
    "x-entrepot-uses": _uses,
    properties,
    items,
    ...constraints
  } = node;
  const fields = Object.entries(properties ?? {})
    .map(([name, child]): [string, SchemaNode] => [name, constraintsOf(child)])
    .filter(([, child]) => Object.keys(child).length > 0);
  const element = items === undefined ? {} : constraintsOf(items);
  return {
    ...constraints,
    ...(fields.length > 0 ? { properties: Object.fromEntries(fields) } : {}),
    ...(Object.keys(element).length > 0 ? { items: element } : {}),
  };
}
