import type { SchemaNode } from "../kinds/kind.ts";
import type { StatusCause } from "../status-error.ts";
import { duplicate, invalidValue, tooMany } from "./causes.ts";
import { canonicalJson, elementOf, isRecord, own } from "./values.ts";

/** Size of a list, and what must not be in it twice. */
export function checkList(value: readonly unknown[], node: SchemaNode, path: string): StatusCause[] {
  const causes: StatusCause[] = [];
  if (node.maxItems !== undefined && value.length > node.maxItems)
    causes.push(tooMany(path, value.length, node.maxItems));
  if (node.minItems !== undefined && value.length < node.minItems)
    causes.push(invalidValue(path, value, `should have at least ${node.minItems} items`));
  const identity = identityOf(node);
  return identity === undefined ? causes : [...causes, ...duplicates(value, path, identity)];
}

/**
 * What tells two elements of a list apart, if that matters.
 * @see Kubernetes, "Merge strategy", list types
 */
function identityOf(node: SchemaNode): ((element: unknown) => string) | undefined {
  if (node["x-kubernetes-list-type"] === "set" || node.uniqueItems === true) return canonicalJson;
  const keys = node["x-kubernetes-list-map-keys"];
  if (node["x-kubernetes-list-type"] !== "map" || keys === undefined) return undefined;
  return (element) => {
    if (!isRecord(element)) return canonicalJson(element);
    return canonicalJson(Object.fromEntries(keys.map((key) => [key, own(element, key)])));
  };
}

function duplicates(value: readonly unknown[], path: string, identity: (element: unknown) => string): StatusCause[] {
  const seen = new Set<string>();
  const causes: StatusCause[] = [];
  for (const [index, element] of value.entries()) {
    const text = identity(element);
    if (seen.has(text)) causes.push(duplicate(elementOf(path, index), text.slice(0, 200)));
    seen.add(text);
  }
  return causes;
}
