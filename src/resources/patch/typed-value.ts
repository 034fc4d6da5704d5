import type { SchemaNode } from "../kinds/kind.ts";
import { badRequest } from "../status-error.ts";
import { canonicalJson, isRecord, own } from "../schema/values.ts";
import { childOf, type FieldSet, nodeOf, setOf } from "./field-set.ts";

/** A part of a value, and what the schema says of it. */
export interface Part {
  readonly value: unknown;
  readonly node: SchemaNode | undefined;
  /** Named in the schema, rather than a key of a map. */
  readonly declared: boolean;
}

/** The parts of a value by path element, in the order in which they stand. */
export type Parts = ReadonlyMap<string, Part>;

/**
 * The parts that can belong to different managers; `undefined` for what is owned whole: scalars, null, atomic lists and
 * atomic maps. A list without a list type is atomic; so is one whose items cannot be told apart.
 * @see Kubernetes, "Server-Side Apply", section "Merge strategy"
 */
export function partsOf(value: unknown, node: SchemaNode | undefined): Parts | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const known = divided.get(value);
  if (known !== undefined && known.node === node) return known.parts;
  const parts = divide(value, node);
  divided.set(value, { node, parts });
  return parts;
}

/**
 * How values were divided, as long as they are there: one write asks for the parts of the same ones twenty times. That is
 * for values that nobody changes, as all are that come from a text or a patch.
 */
const divided = new WeakMap<object, { readonly node: SchemaNode | undefined; readonly parts: Parts | undefined }>();

function divide(value: object, node: SchemaNode | undefined): Parts | undefined {
  if (isRecord(value)) {
    if (node?.["x-kubernetes-map-type"] === "atomic") return undefined;
    const fields = new Map<string, Part>();
    for (const name of Object.keys(value)) fields.set(`f:${name}`, fieldPart(node, name, value[name]));
    return fields;
  }
  if (!Array.isArray(value)) return undefined;
  const elements = itemElements(value, node);
  if (elements === undefined || new Set(elements).size < elements.length) return undefined;
  const parts = new Map<string, Part>();
  for (const [index, element] of elements.entries()) {
    if (element === undefined) return undefined;
    parts.set(element, { value: value[index], node: node?.items, declared: false });
  }
  return parts;
}

function fieldPart(node: SchemaNode | undefined, name: string, value: unknown): Part {
  const property = own(node?.properties, name);
  const additional = node?.additionalProperties;
  const other = typeof additional === "object" ? additional : undefined;
  return { value, node: property ?? other, declared: property !== undefined };
}

/** The path element of each item of a set or a map-like list; `undefined` for items without their keys. */
function itemElements(list: readonly unknown[], node: SchemaNode | undefined): (string | undefined)[] | undefined {
  const keys = node?.["x-kubernetes-list-map-keys"] ?? [];
  switch (node?.["x-kubernetes-list-type"]) {
    case "set":
      return list.map((item) => `v:${canonicalJson(item)}`);
    case "map":
      return keys.length === 0 ? undefined : list.map((item) => keyElement(item, keys, node?.items));
    default:
      return undefined;
  }
}

function keyElement(item: unknown, keys: readonly string[], node: SchemaNode | undefined): string | undefined {
  if (!isRecord(item)) return undefined;
  const values = keys.map((key) => [key, own(item, key) ?? own(node?.properties, key)?.default] as const);
  if (values.some(([, value]) => value === undefined || value === null || typeof value === "object")) return undefined;
  return `k:${JSON.stringify(Object.fromEntries(values.sort(([left], [right]) => (left < right ? -1 : 1))))}`;
}

/**
 * Refuses lists whose items must be told apart and cannot be: an item without its keys, or two of the same.
 * @throws {StatusError} BadRequest
 */
export function checkItems(value: unknown, node: SchemaNode | undefined, at = ""): void {
  if (Array.isArray(value)) {
    const seen = new Set<string>();
    for (const [index, element] of (itemElements(value, node) ?? []).entries()) {
      if (element === undefined) throw badRequest(`${at}: item ${index} lacks a key by which the list is merged`);
      if (seen.has(element)) throw badRequest(`${at}: item ${index} is there twice: ${element.slice(2)}`);
      seen.add(element);
    }
  }
  for (const [element, part] of partsOf(value, node) ?? []) {
    checkItems(part.value, part.node, element.startsWith("f:") ? `${at}.${element.slice(2)}` : `${at}[]`);
  }
}

/**
 * The fields that someone who applies `value` will own. Items of sets and lists and keys of maps are owned themselves;
 * fields that the schema names are owned by what is in them.
 */
export function fieldSetOf(value: unknown, node: SchemaNode | undefined): FieldSet {
  const nodes = [...(partsOf(value, node) ?? [])].map(([element, part]) => {
    const whole = partsOf(part.value, part.node) === undefined;
    const emptyMap = isRecord(part.value) && Object.keys(part.value).length === 0;
    const member = whole || emptyMap || !part.declared;
    return [element, nodeOf(member, fieldSetOf(part.value, part.node))] as const;
  });
  return setOf(nodes);
}

/** The value without the members of a set, each with all that is below it. */
export function removeFields(value: unknown, set: FieldSet, node: SchemaNode | undefined): unknown {
  return filterParts(value, node, ({ element, part }) => {
    const found = childOf(set, element);
    if (found === undefined) return part.value;
    return found.self ? undefined : removeFields(part.value, found, part.node);
  });
}

/** The members of a set, each with all that is below it, and nothing else but what leads to them. */
export function extractFields(value: unknown, set: FieldSet, node: SchemaNode | undefined): unknown {
  return filterParts(value, node, ({ element, part }) => {
    const found = childOf(set, element);
    if (found === undefined) return undefined;
    return extractFields(part.value, found, part.node);
  });
}

function filterParts(
  value: unknown,
  node: SchemaNode | undefined,
  keep: (found: { readonly element: string; readonly part: Part }) => unknown,
): unknown {
  const parts = partsOf(value, node);
  if (parts === undefined) return value;
  const kept: [string, unknown][] = [];
  for (const [element, part] of parts) {
    const left = keep({ element, part });
    if (left !== undefined) kept.push([element, left]);
  }
  return assemble(kept, Array.isArray(value));
}

/** A list or an object of parts. */
export function assemble(parts: readonly (readonly [element: string, value: unknown])[], asList: boolean): unknown {
  if (asList) return parts.map(([, value]) => value);
  // Not by assignment: a field may be called `__proto__`.
  return Object.fromEntries(parts.map(([element, value]) => [element.slice(2), value]));
}

/** The set with the named fields that lead to its members as members, so that nothing hangs in the air. */
export function withNamedFields(set: FieldSet, value: unknown, node: SchemaNode | undefined): FieldSet {
  if (set.below.size === 0) return set;
  const parts = partsOf(value, node);
  if (parts === undefined) return set;
  const below = new Map<string, FieldSet>();
  for (const [element, child] of set.below) {
    const part = parts.get(element);
    const inner = part === undefined ? child : withNamedFields(child, part.value, part.node);
    below.set(element, part?.declared === true && !inner.self ? { self: true, below: inner.below } : inner);
  }
  return { self: set.self, below };
}
