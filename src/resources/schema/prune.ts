import type { SchemaNode } from "../kinds/kind.ts";
import { describesFields, fateOf } from "./unknown-fields.ts";
import { isRecord } from "./values.ts";

/**
 * A copy of a value without the fields that its schema does not know. What needs no change is not copied.
 * @see Kubernetes, "Field pruning"
 */
export function prune(value: unknown, node: SchemaNode): unknown {
  return pruned(value, node, true);
}

function pruned(value: unknown, node: SchemaNode, isRoot: boolean): unknown {
  if (Array.isArray(value)) {
    const { items } = node;
    return items === undefined ? value : value.map((element) => pruned(element, items, false));
  }
  if (!isRecord(value) || !describesFields(node)) return value;
  const entries: [string, unknown][] = [];
  for (const [key, field] of Object.entries(value)) {
    const fate = fateOf(node, key, isRoot);
    if (fate === "unknown") continue;
    entries.push([key, fate === "kept" ? field : pruned(field, fate, false)]);
  }
  // fromEntries defines properties, so that a key such as `__proto__` stays data.
  return Object.fromEntries(entries);
}
