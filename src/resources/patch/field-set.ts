import type { FieldSet } from "../object.ts";
import { canonicalJson, isRecord } from "../schema/values.ts";

/** The set of nothing. As a node inside a set, the same value means: this field, and nothing below it. */
export const EMPTY_SET: FieldSet = {};

/** The mark of a node that is in the set itself, beside what is below it. */
const SELF = ".";
const ELEMENT = /^(?:f:|k:\{|v:|i:\d)/;
/** Deeper sets are not believed: no object that is let in is nested this deep. */
const MAX_DEPTH = 128;

export function isEmptySet(set: FieldSet): boolean {
  return Object.keys(set).length === 0;
}

/** Whether a node of a set is in the set itself, and not only something below it. */
export function isMember(node: FieldSet): boolean {
  return isEmptySet(node) || Object.hasOwn(node, SELF);
}

/** The node below `set` at a path element such as `f:spec`. */
export function childOf(set: FieldSet, element: string): FieldSet | undefined {
  return Object.hasOwn(set, element) ? set[element] : undefined;
}

/** A node from its parts; `undefined` if there is nothing in it. */
export function nodeOf(member: boolean, below: FieldSet): FieldSet | undefined {
  if (isEmptySet(below)) return member ? EMPTY_SET : undefined;
  return member ? { [SELF]: EMPTY_SET, ...below } : below;
}

/** A set from the nodes below it, in the one order that makes equal sets equal texts. */
export function setOf(nodes: Iterable<readonly [element: string, node: FieldSet | undefined]>): FieldSet {
  const entries: [string, FieldSet][] = [];
  for (const [element, node] of nodes) if (node !== undefined) entries.push([element, node]);
  return Object.fromEntries(entries.sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** The path elements directly below a set or a node. */
export function elementsBelow(set: FieldSet): string[] {
  return Object.keys(set).filter((element) => element !== SELF);
}

/** What is in either. */
export function union(left: FieldSet, right: FieldSet): FieldSet {
  return combine(left, right, (inLeft, inRight) => inLeft || inRight);
}

/** What is in `left` and not in `right`. Taking a field away leaves what is below it. */
export function difference(left: FieldSet, right: FieldSet): FieldSet {
  return combine(left, right, (inLeft, inRight) => inLeft && !inRight);
}

/** What is in both. */
export function intersection(left: FieldSet, right: FieldSet): FieldSet {
  return combine(left, right, (inLeft, inRight) => inLeft && inRight);
}

function combine(left: FieldSet, right: FieldSet, keep: (inLeft: boolean, inRight: boolean) => boolean): FieldSet {
  const elements = new Set([...elementsBelow(left), ...elementsBelow(right)]);
  return setOf(
    [...elements].map((element) => {
      const [a, b] = [childOf(left, element), childOf(right, element)];
      const member = keep(a !== undefined && isMember(a), b !== undefined && isMember(b));
      return [element, nodeOf(member, combine(a ?? EMPTY_SET, b ?? EMPTY_SET, keep))];
    }),
  );
}

export function equalSets(left: FieldSet, right: FieldSet): boolean {
  return canonicalJson(left) === canonicalJson(right);
}

/** The set without everything at or below the given elements of its top. */
export function withoutTop(set: FieldSet, elements: readonly string[]): FieldSet {
  return setOf(Object.entries(set).filter(([element]) => !elements.includes(element)));
}

/** The path of each member, as Kubernetes writes paths in conflicts: `.spec.list[name="x"].y`. */
export function pathTexts(set: FieldSet): string[] {
  const texts: string[] = [];
  const visit = (node: FieldSet, at: string): void => {
    for (const element of elementsBelow(node)) {
      const child = childOf(node, element) ?? EMPTY_SET;
      const path = at + elementText(element);
      if (isMember(child)) texts.push(path);
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

/** `value` as a set, if it is one. What clients send as `fieldsV1` may be anything. */
export function parseFieldSet(value: unknown, depth = 0): FieldSet | undefined {
  if (!isRecord(value) || depth > MAX_DEPTH) return undefined;
  const nodes: [string, FieldSet][] = [];
  for (const [element, below] of Object.entries(value)) {
    const node = parseFieldSet(below, depth + 1);
    if (node === undefined || !(element === SELF ? isEmptySet(node) : isElement(element))) return undefined;
    nodes.push([element, node]);
  }
  return setOf(nodes);
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
