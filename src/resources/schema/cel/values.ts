import type { SchemaNode } from "../../kinds/kind.ts";
import { MAX_DEPTH, isRecord, own } from "../values.ts";

/** Words of CEL that are no field names. @see CEL specification, "Syntax", RESERVED */
const RESERVED: ReadonlySet<string> = new Set(
  (
    "true false null in as break const continue else for function if import let loop package namespace return var " +
    "void while"
  ).split(" "),
);

/**
 * A field name as rules write it.
 * @see Kubernetes, "Validation rules", escaping
 */
function escapedName(name: string): string {
  if (RESERVED.has(name)) return `__${name}__`;
  return name
    .replaceAll("__", "__underscores__")
    .replaceAll(".", "__dot__")
    .replaceAll("-", "__dash__")
    .replaceAll("/", "__slash__");
}

/** The name of a field of `node` as rules write it. Keys of maps are texts, and are not escaped. */
export function celName(node: SchemaNode | undefined, key: string): string {
  return typeof node?.additionalProperties === "object" ? key : escapedName(key);
}

/**
 * A JSON value as the CEL interpreter takes it: whole numbers as BigInt (its numbers are doubles), objects without a
 * prototype.
 */
export function celValue(value: unknown, node: SchemaNode | undefined, depth = 0): unknown {
  if (depth > MAX_DEPTH) throw new RangeError(`nested deeper than ${MAX_DEPTH} levels`);
  if (typeof value === "number") {
    // A field of type number is a double even where its value is whole.
    return node?.type !== "number" && Number.isSafeInteger(value) ? BigInt(value) : value;
  }
  if (Array.isArray(value)) return value.map((element) => celValue(element, node?.items, depth + 1));
  if (!isRecord(value)) return value;
  const result = Object.create(null) as Record<string, unknown>;
  for (const [key, field] of Object.entries(value)) {
    const schema = own(node?.properties, key) ?? node?.additionalProperties;
    const child = typeof schema === "object" ? schema : undefined;
    result[celName(node, key)] = celValue(field, child, depth + 1);
  }
  return result;
}
