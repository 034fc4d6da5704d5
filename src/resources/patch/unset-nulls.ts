import type { SchemaNode } from "../kinds/kind.ts";
import { EMPTY_SET, type FieldSet, nodeOf, setOf } from "./field-set.ts";
import { type Part, partsOf } from "./typed-value.ts";

/**
 * The fields that a configuration sets to null and that cannot be null: it wants them to be absent. Null in a nullable
 * field, or in one that the schema does not know, is a value like others.
 * @param merged the object after `applied` was laid over it; null over a map with something in it left that as it was
 */
export function unsetNulls(merged: unknown, applied: unknown, node: SchemaNode | undefined): FieldSet {
  const parts = partsOf(merged, node);
  const wanted = partsOf(applied, node);
  if (parts === undefined || wanted === undefined) return EMPTY_SET;
  return setOf(
    [...wanted].map(([element, part]) => {
      const found = parts.get(element);
      if (found === undefined) return [element, undefined];
      return [element, nodeOf(isUnset(part) && isUnset(found), unsetNulls(found.value, part.value, part.node))];
    }),
  );
}

function isUnset({ value, node }: Part): boolean {
  return value === null && node !== undefined && node.nullable !== true;
}
