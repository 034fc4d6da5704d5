import type { SchemaNode } from "../kinds/kind.ts";
import type { StatusCause } from "../status-error.ts";
import { forbidden, invalidValue, required, unsupported } from "./causes.ts";
import { compilePattern } from "./patterns.ts";
import { DESCRIBING, KEYWORDS } from "./structural-keywords.ts";
import { validateSchema } from "./validate.ts";
import { elementOf, fieldOf, own } from "./values.ts";

const MAX_SCHEMA_DEPTH = 32;
const MAX_SCHEMA_NODES = 5_000;
const LIST_SCALARS: ReadonlySet<string | undefined> = new Set(["string", "integer", "number", "boolean"]);

/**
 * Why a schema from a definition cannot be served: what is not structural, and what is no schema at all. Nothing else
 * of this folder may touch such a schema before this has found nothing.
 * @param path where the schema is in its definition
 * @see Kubernetes, "Specifying a structural schema"
 */
export function checkStructural(node: SchemaNode, path = ""): StatusCause[] {
  const causes: StatusCause[] = [];
  const budget = { nodes: MAX_SCHEMA_NODES };
  if (node.type !== "object") causes.push(invalidValue(fieldOf(path, "type"), node.type, "must be object at the root"));
  checkNode(node, path, 0, budget, causes);
  // Defaults can be judged only by a schema that is sound.
  if (causes.length === 0) checkDefaults(node, path, causes);
  return causes.slice(0, 50);
}

interface NodeBudget {
  nodes: number;
}

function checkNode(node: SchemaNode, path: string, depth: number, budget: NodeBudget, causes: StatusCause[]): void {
  budget.nodes -= 1;
  if (depth > MAX_SCHEMA_DEPTH || budget.nodes < 0) {
    if (budget.nodes >= -1) causes.push(forbidden(path, "the schema is too large or too deep"));
    budget.nodes = Math.min(budget.nodes, -1);
    return;
  }
  const before = causes.length;
  checkKeywords(node, path, causes);
  if (causes.length > before) return;
  checkType(node, path, causes);
  checkListType(node, path, causes);
  checkCombinations(node, node, path, depth, budget, causes);
  if (node.properties !== undefined && node.additionalProperties !== undefined)
    causes.push(
      forbidden(fieldOf(path, "additionalProperties"), "additionalProperties and properties are mutual exclusive"),
    );
  if (node.uniqueItems === true)
    causes.push(forbidden(fieldOf(path, "uniqueItems"), "use x-kubernetes-list-type: set instead"));
  for (const [at, child] of childrenOf(node, path)) checkNode(child, at, depth + 1, budget, causes);
}

function childrenOf(node: SchemaNode, path: string): [string, SchemaNode][] {
  const children = Object.entries(node.properties ?? {}).map(([name, child]): [string, SchemaNode] => [
    `${fieldOf(path, "properties")}[${name}]`,
    child,
  ]);
  if (typeof node.additionalProperties === "object")
    children.push([fieldOf(path, "additionalProperties"), node.additionalProperties]);
  if (node.items !== undefined) children.push([fieldOf(path, "items"), node.items]);
  return children;
}

function checkKeywords(node: SchemaNode, path: string, causes: StatusCause[]): void {
  for (const [keyword, value] of Object.entries(node)) {
    const field = fieldOf(path, keyword);
    const shape = KEYWORDS.get(keyword);
    if (shape === undefined)
      causes.push(forbidden(field, `${keyword.slice(0, 100)} is not supported in a structural schema`));
    else if (!shape(value)) causes.push(invalidValue(field, value, "is not a value that this keyword can have"));
  }
  if (typeof node.pattern === "string" && compilePattern(node.pattern) === undefined)
    causes.push(invalidValue(fieldOf(path, "pattern"), node.pattern, "must be a valid regular expression (RE2)"));
}

function checkType(node: SchemaNode, path: string, causes: StatusCause[]): void {
  const field = fieldOf(path, "type");
  if (node["x-kubernetes-int-or-string"] === true) {
    if (node.type !== undefined) causes.push(forbidden(field, "must be empty with x-kubernetes-int-or-string"));
    return;
  }
  const keepsUnknown = node["x-kubernetes-preserve-unknown-fields"] === true;
  if (node.type === undefined) {
    if (!keepsUnknown) causes.push(required(field));
    return;
  }
  const isObject = node.type === "object";
  if (keepsUnknown && !isObject)
    causes.push(invalidValue(field, node.type, "must be object if x-kubernetes-preserve-unknown-fields is true"));
  if (!isObject && (node.properties ?? node.additionalProperties ?? node["x-kubernetes-map-type"]) !== undefined)
    causes.push(invalidValue(field, node.type, "must be object if there are properties"));
  if (node.type === "array" && node.items === undefined) causes.push(required(fieldOf(path, "items")));
  if (node.type !== "array" && node.items !== undefined)
    causes.push(invalidValue(field, node.type, "must be array if there are items"));
  if (node["x-kubernetes-embedded-resource"] === true && !(isObject && (keepsUnknown || node.properties !== undefined)))
    causes.push(invalidValue(field, node.type, "an embedded resource must be an object with properties"));
}

function checkListType(node: SchemaNode, path: string, causes: StatusCause[]): void {
  const listType = node["x-kubernetes-list-type"];
  const keys = node["x-kubernetes-list-map-keys"];
  const keysField = fieldOf(path, "x-kubernetes-list-map-keys");
  if (listType !== "map" && keys !== undefined) causes.push(forbidden(keysField, "is for x-kubernetes-list-type: map"));
  if (listType === undefined) return;
  if (node.type !== "array")
    causes.push(invalidValue(fieldOf(path, "type"), node.type, "must be array with a list type"));
  const { items } = node;
  if (items === undefined) return;
  if (listType === "set" && items.type === "object" && items["x-kubernetes-map-type"] !== "atomic")
    causes.push(
      invalidValue(fieldOf(path, "items.x-kubernetes-map-type"), undefined, "must be atomic as item of a set"),
    );
  if (listType !== "map") return;
  if (keys === undefined || keys.length === 0) {
    causes.push(required(keysField));
    return;
  }
  for (const [index, key] of keys.entries()) {
    const property = own(items.properties, key);
    const field = elementOf(keysField, index);
    if (property === undefined || !LIST_SCALARS.has(property.type))
      causes.push(invalidValue(field, key, "must be a property of the items that is no object and no list"));
    else if (property.default === undefined && items.required?.includes(key) !== true)
      causes.push(required(`${fieldOf(path, "items.properties")}[${key}].default`));
  }
}

/** Below a combination, a schema may constrain only what the structure above it describes. */
function checkCombinations(
  node: SchemaNode,
  structure: SchemaNode,
  path: string,
  depth: number,
  budget: NodeBudget,
  causes: StatusCause[],
): void {
  const members = (["allOf", "anyOf", "oneOf"] as const).flatMap((keyword) =>
    (node[keyword] ?? []).map((member, index): [string, SchemaNode] => [
      elementOf(fieldOf(path, keyword), index),
      member,
    ]),
  );
  if (node.not !== undefined) members.push([fieldOf(path, "not"), node.not]);
  for (const [at, member] of members) checkConstraint(member, structure, at, depth + 1, budget, causes);
}

function checkConstraint(
  node: SchemaNode,
  structure: SchemaNode | undefined,
  path: string,
  depth: number,
  budget: NodeBudget,
  causes: StatusCause[],
): void {
  budget.nodes -= 1;
  if (depth > MAX_SCHEMA_DEPTH || budget.nodes < 0) {
    causes.push(forbidden(path, "the schema is too large or too deep"));
    return;
  }
  const before = causes.length;
  checkKeywords(node, path, causes);
  if (causes.length > before) return;
  for (const keyword of DESCRIBING) {
    // int-or-string is described by its two types, below anyOf.
    if (keyword === "type" && structure?.["x-kubernetes-int-or-string"] === true) continue;
    if (Object.hasOwn(node, keyword))
      causes.push(forbidden(fieldOf(path, keyword), "must not be specified in a combination"));
  }
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    const at = `${fieldOf(path, "properties")}[${name}]`;
    const described = own(structure?.properties, name);
    if (described === undefined) causes.push(required(at.replace(/\.?(?:allOf|anyOf|oneOf)\[\d+\]|\.?not(?=\.)/, "")));
    checkConstraint(child, described, at, depth + 1, budget, causes);
  }
  if (node.items !== undefined)
    checkConstraint(node.items, structure?.items, fieldOf(path, "items"), depth + 1, budget, causes);
  if (structure !== undefined) checkCombinations(node, structure, path, depth, budget, causes);
}

function checkDefaults(node: SchemaNode, path: string, causes: StatusCause[]): void {
  if (node.default !== undefined) {
    for (const cause of validateSchema(node.default, node)) {
      const field = fieldOf(path, "default");
      causes.push({ ...cause, field: cause.field === "" ? field : fieldOf(field, cause.field) });
    }
  }
  if (node.default === null && node.nullable !== true)
    causes.push(unsupported(fieldOf(path, "default"), null, [node.type ?? "a value"]));
  for (const [at, child] of childrenOf(node, path)) checkDefaults(child, at, causes);
}
