import type { ParseResult } from "@marcbachmann/cel-js";
import { PER_CHARACTER, spend, weight } from "./budget.ts";
import { requirePattern } from "../patterns.ts";
import { type Evaluate, type TreeNode, visitNodes } from "./tree.ts";

/*
 * The interpreter counts nothing, and a Worker's clock stands still while it computes: only counting can end a rule that
 * would never end. So the nodes of its tree are made to count.
 */

/** Makes a program count what it costs: each step, and what steps grow with. The types must have been checked. */
export function meter(program: ParseResult): void {
  visitNodes(program.ast, meterNode);
}

/** Loops go on after a turn that failed, and making an error takes much longer than a step. */
const FAILURE_COST = 25;

function meterNode(node: TreeNode): void {
  const { alternate, macro, evaluate } = node.meta;
  const inner: Evaluate =
    alternate !== undefined
      ? (evaluator, _node, context) => alternate.evaluate(evaluator, alternate, context)
      : macro !== undefined
        ? (evaluator, _node, context) => macro.evaluate(evaluator, macro, context)
        : evaluate;
  node.evaluate = (evaluator, self, context) => {
    spend(1);
    try {
      return inner(evaluator, self, context);
    } catch (error) {
      spend(FAILURE_COST);
      throw error;
    }
  };
  if (node.op === "rcall" && nameOf(node) === "matches") {
    node.handle = (values) => {
      const [text, pattern] = values as readonly unknown[];
      if (typeof text !== "string" || typeof pattern !== "string") throw new Error("matches: needs two texts");
      spend(patternCost(text, pattern));
      return requirePattern(pattern).test(text);
    };
    return;
  }
  const { handle } = node;
  const charge = chargeOf(node);
  if (handle === undefined || charge === undefined) return;
  node.handle = (...values) => {
    charge.before(values);
    const result = handle(...values);
    charge.after?.(result);
    return result;
  };
}

/** What operands cost before they are used, and a result once it is there. */
interface Charge {
  readonly before: (values: readonly unknown[]) => void;
  readonly after?: (result: unknown) => void;
}

function chargeOf(node: TreeNode): Charge | undefined {
  switch (node.op) {
    case "==":
    case "!=":
      return { before: ([left, right]) => spend(Math.min(weight(left), weight(right))) };
    case "in":
      return { before: ([, container]) => spend(Array.isArray(container) ? weight(container) : 1) };
    case "+":
      return { before: ([left, right]) => spend(copyCost(left) + copyCost(right)) };
    case "<":
    case "<=":
    case ">":
    case ">=":
      return { before: ([left, right]) => spend(Math.min(copyCost(left), copyCost(right))) };
    case "comprehension":
      // The keys of a map are made into a list first.
      return { before: ([range]) => spend(keysCost(range)) };
    case "call":
    case "rcall": {
      const before = CALLS.get(nameOf(node)) ?? linearCost;
      return { before: ([values]) => spend(before(values as unknown[])), after: (result) => spend(copyCost(result)) };
    }
    default:
      return undefined;
  }
}

function nameOf(node: TreeNode): string {
  return String((node.args as readonly unknown[])[0]);
}

/** What copying the first level of a value costs. */
function copyCost(value: unknown): number {
  if (typeof value === "string" || value instanceof Uint8Array) return value.length * PER_CHARACTER;
  return Array.isArray(value) ? value.length : 0;
}

function keysCost(value: unknown): number {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value).length : 0;
}

/** A function costs what its arguments weigh, unless it is here. */
const CALLS: ReadonlyMap<string, (values: readonly unknown[]) => number> = new Map([
  ...["duration", "timestamp"].map(
    (name) => [name, (values: readonly unknown[]) => PARSE_COST + linearCost(values)] as const,
  ),
  ...["dyn", "type", "hasValue", "value", "none", "of"].map((name) => [name, () => 1] as const),
  ["size", ([value]) => (Array.isArray(value) ? 1 : 1 + copyCost(value) + keysCost(value))],
  ["matches", ([text, pattern]) => patternCost(text, pattern)],
  ["find", ([text, pattern]) => patternCost(text, pattern)],
  ["findAll", ([text, pattern]) => patternCost(text, pattern)],
  ...["contains", "indexOf", "lastIndexOf", "split", "replace"].map((name) => [name, searchCost] as const),
  ...["equivalent", "intersects"].map((name) => [name, pairsCost] as const),
  ...["getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours", "getMilliseconds"].map(
    (name) => [name, zoneCost] as const,
  ),
  ...["getMinutes", "getMonth", "getSeconds"].map((name) => [name, zoneCost] as const),
]);

function linearCost(values: readonly unknown[]): number {
  return values.reduce<number>((total, value) => total + weight(value), 0);
}

/** A search may compare each place of a text with all of what is searched; `contains` is of sets as well. */
function searchCost(values: readonly unknown[]): number {
  const [text, searched, ...rest] = values;
  if (typeof text !== "string") return pairsCost(values);
  return weight(text) * weight(searched) + linearCost(rest);
}

/** The engine's time is linear in the text, and in the length of the pattern; a pattern is compiled first. */
function patternCost(text: unknown, pattern: unknown): number {
  const length = typeof pattern === "string" ? pattern.length : 0;
  return length + weight(text) * (1 + length * PATTERN_FACTOR);
}

const PATTERN_FACTOR = 0.25;

/** Every element is compared with every other one. */
function pairsCost(values: readonly unknown[]): number {
  return values.reduce<number>((product, value) => product * (Array.isArray(value) ? weight(value) : 1), 1);
}

/** A time of another zone is made by way of its text. */
function zoneCost(values: readonly unknown[]): number {
  return values.length > 1 ? ZONE_COST : 1;
}

const ZONE_COST = 1000;
/** Reading a time takes longer than a step. */
const PARSE_COST = 20;
