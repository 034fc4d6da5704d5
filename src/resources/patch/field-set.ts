import type { FieldsV1 } from "../objects/object.ts";
import { isRecord } from "../schema/values.ts";

/**
 * A set of paths: whether a node is in it itself, and what is in it below, by path elements such as `f:spec`. Objects own
 * thousands of fields, and each write goes through them many times: as a tree of maps, in any order, that costs little for
 * each field. `FieldsV1` is its written form.
 */
export interface FieldSet {
  readonly self: boolean;
  readonly below: ReadonlyMap<string, FieldSet>;
}

const NOTHING: ReadonlyMap<string, FieldSet> = new Map();
export const EMPTY_SET: FieldSet = { self: false, below: NOTHING };
/** The node of a field that is in a set, with nothing below it. */
export const MEMBER: FieldSet = { self: true, below: NOTHING };

/** How a node is written that is in the set itself, beside what is below it. */
const SELF = ".";
const ELEMENT = /^(?:f:|k:\{|v:|i:\d)/;
/** Deeper sets are not believed: no object that is let in is nested this deep. */
const MAX_DEPTH = 128;

export function isEmptySet({ self, below }: FieldSet): boolean {
  return !self && below.size === 0;
}

/** The node below `set` at a path element. */
export function childOf(set: FieldSet, element: string): FieldSet | undefined {
  return set.below.get(element);
}

/** A node from its parts; `undefined` if there is nothing in it. */
export function nodeOf(self: boolean, { below }: FieldSet): FieldSet | undefined {
  if (below.size === 0) return self ? MEMBER : undefined;
  return { self, below };
}

/** A set from the nodes below it. */
export function setOf(nodes: Iterable<readonly [element: string, node: FieldSet | undefined]>): FieldSet {
  const below = new Map<string, FieldSet>();
  for (const [element, node] of nodes) if (node !== undefined) below.set(element, node);
  return below.size === 0 ? EMPTY_SET : { self: false, below };
}

/** What is in either. */
export function union(left: FieldSet, right: FieldSet): FieldSet {
  if (left === right || isEmptySet(right)) return left;
  if (isEmptySet(left)) return right;
  const below = new Map(left.below);
  for (const [element, node] of right.below) {
    const other = below.get(element);
    below.set(element, other === undefined ? node : union(other, node));
  }
  return { self: left.self || right.self, below };
}

/** What is in `left` and not in `right`. Taking a field away leaves what is below it. */
export function difference(left: FieldSet, right: FieldSet): FieldSet {
  return (isEmptySet(right) ? left : nodeOf(left.self && !right.self, differenceBelow(left, right))) ?? EMPTY_SET;
}

function differenceBelow(left: FieldSet, right: FieldSet): FieldSet {
  const below = new Map<string, FieldSet>();
  for (const [element, node] of left.below) {
    const other = right.below.get(element);
    const rest = other === undefined ? node : difference(node, other);
    if (!isEmptySet(rest)) below.set(element, rest);
  }
  return { self: false, below };
}

/** What is in both. */
export function intersection(left: FieldSet, right: FieldSet): FieldSet {
  if (left === right) return left;
  const below = new Map<string, FieldSet>();
  for (const [element, node] of left.below) {
    const other = right.below.get(element);
    const both = other === undefined ? EMPTY_SET : intersection(node, other);
    if (!isEmptySet(both)) below.set(element, both);
  }
  return nodeOf(left.self && right.self, { self: false, below }) ?? EMPTY_SET;
}

export function equalSets(left: FieldSet, right: FieldSet): boolean {
  if (left === right) return true;
  if (left.self !== right.self || left.below.size !== right.below.size) return false;
  for (const [element, node] of left.below) {
    const other = right.below.get(element);
    if (other === undefined || !equalSets(node, other)) return false;
  }
  return true;
}

/** The set without itself, and without everything at or below the given elements of its top. */
export function withoutTop({ below }: FieldSet, elements: readonly string[]): FieldSet {
  const rest = new Map(below);
  for (const element of elements) rest.delete(element);
  return { self: false, below: rest };
}

/** The path of each member, as Kubernetes writes paths in conflicts: `.spec.list[name="x"].y`. */
export function pathTexts(set: FieldSet): string[] {
  const texts: string[] = [];
  const visit = (node: FieldSet, at: string): void => {
    for (const [element, child] of inOrder(node)) {
      const path = at + elementText(element);
      if (child.self) texts.push(path);
      visit(child, path);
    }
  };
  visit(set, "");
  return texts;
}

function elementText(element: string): string {
  const content = element.slice(2);
  if (element.startsWith("f:")) return `.${content}`;
  if (element.startsWith("v:")) return `[=${content}]`;
  if (element.startsWith("i:")) return `[${content}]`;
  const keys: unknown = JSON.parse(content);
  const texts = isRecord(keys) ? Object.entries(keys).map(([key, value]) => `${key}=${JSON.stringify(value)}`) : [];
  return `[${texts.join(",")}]`;
}

/** A set as it is written, in the one order that makes equal sets equal texts. */
export function writeFieldSet(set: FieldSet): FieldsV1 {
  return Object.fromEntries(inOrder(set).map(([element, node]) => [element, writeNode(node)]));
}

function inOrder({ below }: FieldSet): [element: string, node: FieldSet][] {
  return [...below].sort(([left], [right]) => (left < right ? -1 : 1));
}

function writeNode(node: FieldSet): FieldsV1 {
  if (node.below.size === 0) return {};
  const below = writeFieldSet(node);
  return node.self ? { [SELF]: {}, ...below } : below;
}

/** `value` as a set, if it is one. What clients send as `fieldsV1` may be anything. */
export function parseFieldSet(value: unknown): FieldSet | undefined {
  return isRecord(value) ? parseBelow(value, 0) : undefined;
}

function parseBelow(value: Readonly<Record<string, unknown>>, depth: number): FieldSet | undefined {
  if (depth > MAX_DEPTH) return undefined;
  const below = new Map<string, FieldSet>();
  let self = false;
  for (const [element, child] of Object.entries(value)) {
    if (!isRecord(child)) return undefined;
    if (element === SELF) {
      if (Object.keys(child).length > 0) return undefined;
      self = depth > 0;
      continue;
    }
    const node = parseBelow(child, depth + 1);
    if (node === undefined || !isElement(element)) return undefined;
    // Nothing is said of what is below: the field itself is meant.
    below.set(element, isEmptySet(node) ? MEMBER : node);
  }
  if (below.size === 0) return self ? MEMBER : EMPTY_SET;
  return { self, below };
}

function isElement(element: string): boolean {
  if (!ELEMENT.test(element)) return false;
  if (!element.startsWith("k:")) return true;
  try {
    return isRecord(JSON.parse(element.slice(2)));
  } catch {
    return false;
  }
}
