import type { Environment } from "@marcbachmann/cel-js";
import { spend, weight } from "../budget.ts";

type Ordered = bigint | number | string;

/** @see Kubernetes, "CEL in Kubernetes", list library */
export function registerLists(environment: Environment): void {
  environment
    .registerFunction("list.sum(): dyn", sum)
    .registerFunction("list.isSorted(): bool", isSorted)
    .registerFunction(
      "list.min(): dyn",
      extreme("min", (left, right) => left < right),
    )
    .registerFunction(
      "list.max(): dyn",
      extreme("max", (left, right) => left > right),
    )
    .registerFunction("list.indexOf(dyn): int", (list: readonly unknown[], value: unknown) =>
      BigInt(list.findIndex((each) => isSame(each, value))),
    )
    .registerFunction("list.lastIndexOf(dyn): int", (list: readonly unknown[], value: unknown) =>
      BigInt(list.findLastIndex((each) => isSame(each, value))),
    );
}

/** What `sets` is; each such name has a type of its own. */
class Sets {
  readonly library = "sets";
}

/** @see Kubernetes, "CEL in Kubernetes", sets library */
export function registerSets(environment: Environment): void {
  environment
    .registerType("Sets", Sets)
    .registerConstant("sets", "Sets", new Sets())
    .registerFunction("Sets.contains(list, list): bool", (_: Sets, all: readonly unknown[], some: readonly unknown[]) =>
      isWithin(some, all),
    )
    .registerFunction(
      "Sets.equivalent(list, list): bool",
      (_: Sets, left: readonly unknown[], right: readonly unknown[]) => isWithin(left, right) && isWithin(right, left),
    )
    .registerFunction(
      "Sets.intersects(list, list): bool",
      (_: Sets, left: readonly unknown[], right: readonly unknown[]) =>
        left.some((each) => right.some((other) => isSame(each, other))),
    );
}

function isWithin(some: readonly unknown[], all: readonly unknown[]): boolean {
  return some.every((each) => all.some((other) => isSame(each, other)));
}

/** Equality as CEL has it: of whatever types, and of all that lists and maps hold. */
function isSame(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left === "bigint" || typeof left === "number") {
    // An int and a double that mean the same number are equal.
    return (typeof right === "bigint" || typeof right === "number") && Number(left) === Number(right);
  }
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  spend(Math.min(weight(left), weight(right)));
  const [fields, others] = [Object.entries(left), new Map<string, unknown>(Object.entries(right))];
  return (
    fields.length === others.size && fields.every(([key, value]) => others.has(key) && isSame(value, others.get(key)))
  );
}

function extreme(name: string, isBetter: (left: Ordered, right: Ordered) => boolean) {
  return (list: readonly Ordered[]): Ordered => {
    if (list.length === 0) throw new Error(`${name} called on empty list`);
    return list.reduce((best, value) => (isBetter(value, best) ? value : best));
  };
}

function isSorted(list: readonly Ordered[]): boolean {
  return list.every((value, index) => index === 0 || (list[index - 1] ?? value) <= value);
}

function sum(list: readonly (bigint | number)[]): bigint | number {
  // bigints and doubles do not mix, and a list of CEL has one of them.
  if (list.every((value) => typeof value === "number")) return list.length === 0 ? 0n : list.reduce((a, b) => a + b);
  return list.reduce((total: bigint, value) => total + BigInt(value), 0n);
}
