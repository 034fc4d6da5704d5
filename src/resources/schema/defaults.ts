import type { SchemaNode } from "../kinds/kind.ts";
import { isRecord, own, type JsonRecord } from "./values.ts";

/**
 * A copy of a value with the defaults of its schema filled in, at every level that is there. A `null` where none is
 * allowed counts as absent: it becomes the default, or goes if there is none.
 * @see Kubernetes, "Defaulting and Nullable"
 */
export function withDefaults(value: unknown, node: SchemaNode): unknown {
  if (Array.isArray(value)) {
    const { items } = node;
    return items === undefined ? value : value.map((element) => filled(element, items));
  }
  return isRecord(value) ? withFieldDefaults(value, node) : value;
}

function withFieldDefaults(value: JsonRecord, node: SchemaNode): JsonRecord {
  const entries: [string, unknown][] = [];
  for (const [key, field] of Object.entries(value)) {
    const schema = schemaOf(node, key);
    if (schema === undefined) entries.push([key, field]);
    else if (!isForbiddenNull(field, schema) || schema.default !== undefined)
      entries.push([key, filled(field, schema)]);
  }
  for (const [key, schema] of Object.entries(node.properties ?? {})) {
    if (!Object.hasOwn(value, key) && schema.default !== undefined) entries.push([key, filled(undefined, schema)]);
  }
  return Object.fromEntries(entries);
}

function schemaOf(node: SchemaNode, key: string): SchemaNode | undefined {
  const property = own(node.properties, key);
  if (property !== undefined) return property;
  return typeof node.additionalProperties === "object" ? node.additionalProperties : undefined;
}

/** The value or its default, and the defaults within. */
function filled(value: unknown, node: SchemaNode): unknown {
  const isMissing = value === undefined || isForbiddenNull(value, node);
  const present = isMissing && node.default !== undefined ? structuredClone(node.default) : value;
  return withDefaults(present, node);
}

/** A node without a type accepts anything, so `null` is a value there. */
function isForbiddenNull(value: unknown, node: SchemaNode): boolean {
  const acceptsAnything = node.type === undefined && node["x-kubernetes-int-or-string"] !== true;
  return value === null && node.nullable !== true && !acceptsAnything;
}
