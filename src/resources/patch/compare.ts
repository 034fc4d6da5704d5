import type { SchemaNode } from "../kinds/kind.ts";
import { equalJson } from "../schema/values.ts";
import { childOf, EMPTY_SET, type FieldSet, MEMBER, nodeOf, setOf, union, withoutTop } from "./field-set.ts";
import { type Part, type Parts, partsOf } from "./typed-value.ts";

/** What differs between two values. A field is in `added` or `removed` with everything below it. */
export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

type Sides = { readonly before: Part | undefined; readonly after: Part | undefined };
type Nodes = { readonly [Side in keyof Comparison]: FieldSet | undefined };

const NO_PARTS: Parts = new Map();
const SAME: Nodes = { added: undefined, modified: undefined, removed: undefined };

/** Compares two objects field by field, as their schema divides them. The order of sets and map-like lists is no difference. */
export function compareValues(before: unknown, after: unknown, node: SchemaNode | undefined): Comparison {
  return compareBelow(partsOf(before, node) ?? NO_PARTS, partsOf(after, node) ?? NO_PARTS);
}

function compareBelow(before: Parts, after: Parts): Comparison {
  const nodes = [...new Set([...before.keys(), ...after.keys()])].map(
    (element) => [element, compareParts({ before: before.get(element), after: after.get(element) })] as const,
  );
  return {
    added: setOf(nodes.map(([element, { added }]) => [element, added])),
    modified: setOf(nodes.map(([element, { modified }]) => [element, modified])),
    removed: setOf(nodes.map(([element, { removed }]) => [element, removed])),
  };
}

function compareParts(sides: Sides): Nodes {
  const [before, after] = [divided(sides.before), divided(sides.after)];
  const isEmpty = (before?.size ?? 0) === 0 && (after?.size ?? 0) === 0;
  // Between null, nothing and the empty map there is a difference only if they are looked at whole.
  if (isEmpty) return compareWhole(sides);
  const below = compareBelow(before ?? NO_PARTS, after ?? NO_PARTS);
  const whole = (before === undefined && isValue(sides.before)) || (after === undefined && isValue(sides.after));
  const self = whole ? compareWhole(sides) : SAME;
  return {
    added: nodeOf(sides.before === undefined || self.added !== undefined, below.added),
    modified: nodeOf(self.modified !== undefined, below.modified),
    removed: nodeOf(sides.after === undefined || self.removed !== undefined, below.removed),
  };
}

function divided(part: Part | undefined): Parts | undefined {
  return part === undefined ? undefined : partsOf(part.value, part.node);
}

function isValue(part: Part | undefined): boolean {
  return part !== undefined && part.value !== null;
}

function compareWhole({ before, after }: Sides): Nodes {
  if (before === undefined) return { ...SAME, added: MEMBER };
  if (after === undefined) return { ...SAME, removed: MEMBER };
  return equalJson(before.value, after.value) ? SAME : { ...SAME, modified: MEMBER };
}

/** Fields that the server keeps by itself, and that belong to nobody. */
const UNOWNED = ["f:apiVersion", "f:kind"];
const UNOWNED_METADATA = [
  "f:name",
  "f:namespace",
  "f:selfLink",
  "f:uid",
  "f:resourceVersion",
  "f:generation",
  "f:creationTimestamp",
  "f:deletionTimestamp",
  "f:deletionGracePeriodSeconds",
  "f:managedFields",
];

/** Which part of an object a write is about. */
export interface WriteScope {
  /** `status` writes that alone; other writes never do, where the kind has a status subresource. */
  readonly subresource?: string | undefined;
  readonly hasStatus: boolean;
}

/** The part of a set that a write of this scope can own. */
export function ownable(set: FieldSet, { subresource, hasStatus }: WriteScope): FieldSet {
  if (subresource === "status") return setOf([["f:status", childOf(set, "f:status")]]);
  const metadata = withoutTop(childOf(set, "f:metadata") ?? EMPTY_SET, UNOWNED_METADATA);
  const rest = withoutTop(set, [...UNOWNED, "f:metadata", ...(hasStatus ? ["f:status"] : [])]);
  return union(rest, setOf([["f:metadata", nodeOf(false, metadata)]]));
}

/** The same for each side of a comparison. */
export function ownableChanges(changes: Comparison, scope: WriteScope): Comparison {
  return {
    added: ownable(changes.added, scope),
    modified: ownable(changes.modified, scope),
    removed: ownable(changes.removed, scope),
  };
}
