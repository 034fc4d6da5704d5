import { type ASTNode, Optional, type ParseResult } from "@marcbachmann/cel-js";
import { type Budget, withBudget } from "./budget.ts";
import { celLibrary } from "./library/index.ts";
import { meter } from "./meter.ts";

/** Longest expression, in characters. */
export const MAX_RULE_LENGTH = 5_000;
const CACHED_RULES = 500;

const shared = celLibrary().registerVariable("self", "dyn").registerVariable("oldSelf", "dyn");
const programs = new Map<string, ParseResult>();

/**
 * Evaluates an expression.
 * @throws {CostExceeded}
 * @throws {Error} as the expression itself fails
 */
export function evaluateRule(expression: string, self: unknown, oldSelf: unknown, budget: Budget): unknown {
  const program = programOf(expression);
  return withoutStacks(() => withBudget(budget, () => program({ self, oldSelf }) as unknown));
}

/** Turns of `all` and `exists` may fail by the thousand, and of an error, its stack is what costs most. */
function withoutStacks<T>(evaluate: () => T): T {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return evaluate();
  } finally {
    Error.stackTraceLimit = limit;
  }
}

function programOf(expression: string): ParseResult {
  const known = programs.get(expression);
  if (known !== undefined) return known;
  if (expression.length > MAX_RULE_LENGTH) throw new Error("the rule is too long");
  const program = shared.parse(expression);
  const checked = program.check();
  if (!checked.valid) throw checked.error ?? new Error("the rule cannot be compiled");
  meter(program);
  if (programs.size >= CACHED_RULES) programs.clear();
  programs.set(expression, program);
  return program;
}

/** Whether an expression reads a variable, as opposed to a field or a method of that name. No expression reads none. */
export function readsVariable(expression: string, name: string): boolean {
  try {
    return mentions(shared.parse(expression).ast, name);
  } catch {
    return false;
  }
}

function mentions(node: unknown, name: string): boolean {
  if (Array.isArray(node)) return node.some((each) => mentions(each, name));
  if (typeof node !== "object" || node === null || !("op" in node)) return false;
  const { op, args } = node as ASTNode;
  return op === "id" ? args === name : mentions(args, name);
}

/** What a rule with `optionalOldSelf` sees. */
export function optionalOf(value: unknown): unknown {
  return value === undefined ? Optional.none() : Optional.of(value);
}

/** The interpreter's errors go on with a picture of the source. */
export function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split("\n")[0] ?? "";
}
