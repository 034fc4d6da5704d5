import type { SchemaNode } from "../kinds/kind.ts";
import { type JsonRecord, elementOf, fieldOf, isRecord, own } from "./values.ts";

/** What an embedded resource and the root may always have. */
const TYPE_FIELDS: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata"]);

/** What becomes of a field: the schema that governs it, `kept` as it is, or `unknown`. */
export type FieldFate = SchemaNode | "kept" | "unknown";

/**
 * Whether an object that `node` describes may have `key`.
 * @see Kubernetes, "Field pruning"
 */
export function fateOf(node: SchemaNode, key: string, isRoot: boolean): FieldFate {
  const property = own(node.properties, key);
  if (property !== undefined) return property;
  if (typeof node.additionalProperties === "object") return node.additionalProperties;
  if (node.additionalProperties === true || keepsUnknown(node)) return "kept";
  const isTyped = isRoot || node["x-kubernetes-embedded-resource"] === true;
  return isTyped && TYPE_FIELDS.has(key) ? "kept" : "unknown";
}

function keepsUnknown(node: SchemaNode): boolean {
  return node["x-kubernetes-preserve-unknown-fields"] === true;
}

/**
 * Paths of the fields that a schema does not know, in the order of the value, as strict decoding reports them.
 * The schema bounds the recursion.
 */
export function unknownFields(value: unknown, node: SchemaNode): string[] {
  const found: string[] = [];
  collect(value, node, "", found);
  return found;
}

function collect(value: unknown, node: SchemaNode, path: string, found: string[]): void {
  if (Array.isArray(value)) {
    if (node.items === undefined) return;
    for (const [index, element] of value.entries()) collect(element, node.items, elementOf(path, index), found);
  } else if (isRecord(value) && describesFields(node)) {
    collectFields(value, node, path, found);
  }
}

function collectFields(value: JsonRecord, node: SchemaNode, path: string, found: string[]): void {
  for (const [key, field] of Object.entries(value)) {
    const fate = fateOf(node, key, path === "");
    if (fate === "unknown") found.push(fieldOf(path, key));
    else if (fate !== "kept") collect(field, fate, fieldOf(path, key), found);
  }
}

/** An object where a number should be is wrong as a whole; its fields are not what is unknown about it. */
export function describesFields(node: SchemaNode): boolean {
  return node.type === "object" || node.properties !== undefined || node.additionalProperties !== undefined;
}
