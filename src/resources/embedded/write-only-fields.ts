import type { SchemaNode } from "../kinds/kind.ts";
import { fieldOf, isRecord, MAX_DEPTH, own } from "../schema/values.ts";

const known = new WeakMap<SchemaNode, boolean>();

/** Whether something below a node may be written and is never shown. */
export function hasWriteOnly(node: SchemaNode): boolean {
  const answer = known.get(node) ?? someNode(node, ({ writeOnly }) => writeOnly === true, 0);
  known.set(node, answer);
  return answer;
}

/** Whether a node, or one below it, is so. */
export function someNode(node: SchemaNode, is: (node: SchemaNode) => boolean, depth: number): boolean {
  if (is(node)) return true;
  if (depth > MAX_DEPTH) return false;
  const { properties = {}, items, additionalProperties } = node;
  const children = [...Object.values(properties), ...(items === undefined ? [] : [items])];
  if (typeof additionalProperties === "object") children.push(additionalProperties);
  return children.some((child) => someNode(child, is, depth + 1));
}

/** What was taken out of an object. */
export interface TakenField {
  readonly field: string;
  readonly value: unknown;
}

/**
 * A copy of a value without what its schema says is write-only.
 * @param taken gets what was there
 */
export function withoutWriteOnly(value: unknown, node: SchemaNode, taken: TakenField[], path = ""): unknown {
  if (Array.isArray(value)) {
    const { items } = node;
    return items === undefined
      ? value
      : value.map((element, index) => withoutWriteOnly(element, items, taken, `${path}[${index}]`));
  }
  if (!isRecord(value)) return value;
  const entries: [string, unknown][] = [];
  for (const [key, part] of Object.entries(value)) {
    const { properties, additionalProperties } = node;
    const child = own(properties, key) ?? (typeof additionalProperties === "object" ? additionalProperties : undefined);
    const field = fieldOf(path, key);
    if (child?.writeOnly === true) taken.push({ field, value: part });
    else entries.push([key, child === undefined ? part : withoutWriteOnly(part, child, taken, field)]);
  }
  return Object.fromEntries(entries);
}
