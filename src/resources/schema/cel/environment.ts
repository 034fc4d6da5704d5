import { type ASTNode, Environment, Optional, type ParseResult } from "@marcbachmann/cel-js";
import { type Budget, withBudget } from "./budget.ts";
import { meter } from "./meter.ts";

const MAX_RULE_LENGTH = 5_000;
const CACHED_RULES = 500;

/** What Kubernetes adds to CEL for lists. @see Kubernetes, "CEL in Kubernetes", list library */
function extreme(name: string, isBetter: (left: bigint, right: bigint) => boolean) {
  return (list: readonly bigint[]): bigint => {
    if (list.length === 0) throw new Error(`${name} called on empty list`);
    return list.reduce((best, value) => (isBetter(value, best) ? value : best));
  };
}

function isSorted(list: readonly (bigint | number | string)[]): boolean {
  return list.every((value, index) => index === 0 || (list[index - 1] ?? value) <= value);
}

function sum(list: readonly (bigint | number)[]): bigint | number {
  // bigints and doubles do not mix, and a list of CEL has one of them.
  if (list.every((value) => typeof value === "number")) return list.length === 0 ? 0n : list.reduce((a, b) => a + b);
  return list.reduce((total: bigint, value) => total + BigInt(value), 0n);
}

function environment(): Environment {
  return new Environment({
    enableOptionalTypes: true,
    homogeneousAggregateLiterals: false,
    limits: { maxAstNodes: 5_000, maxDepth: 100 },
  })
    .registerVariable("self", "dyn")
    .registerVariable("oldSelf", "dyn")
    .registerFunction("list.sum(): dyn", sum)
    .registerFunction("list.isSorted(): bool", isSorted)
    .registerFunction(
      "list.min(): dyn",
      extreme("min", (left, right) => left < right),
    )
    .registerFunction(
      "list.max(): dyn",
      extreme("max", (left, right) => left > right),
    );
}

const shared = environment();
const programs = new Map<string, ParseResult>();

/** What is wrong with an expression, or nothing. `expected` is the type that it must have. */
export function syntaxProblem(expression: string, expected: "bool" | "string"): string | undefined {
  if (expression.trim() === "") return "must not be empty";
  if (expression.length > MAX_RULE_LENGTH) return `must not be longer than ${MAX_RULE_LENGTH} characters`;
  const result = shared.check(expression);
  if (!result.valid) return `compilation failed: ${firstLine(result.error)}`;
  if (result.type === expected || result.type === "dyn") return undefined;
  return `must evaluate to a ${expected}, not to ${result.type}`;
}

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
