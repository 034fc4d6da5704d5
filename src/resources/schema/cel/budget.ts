/** What a character costs where texts are read or copied. @see kubernetes/apiserver, pkg/cel/library/cost.go */
export const PER_CHARACTER = 0.1;

/**
 * What the rules of one object may cost together, in steps, elements and tenths of characters: some tenths of a second,
 * in which others wait. Kubernetes has as much for one rule, and ten times as much for an object.
 * @see kubernetes/apiserver, pkg/apis/cel/config.go, PerCallLimit
 */
export const MAX_COST = 1_000_000;

/** The cost was exceeded; the rule has no result. */
export class CostExceeded extends Error {
  override readonly name = "CostExceeded";
}

/** What evaluations may still spend. */
export interface Budget {
  remaining: number;
}

// Evaluation is synchronous, so one variable serves: functions of the environment have no other way to a budget.
let current: Budget = { remaining: 0 };

/** Evaluates at the expense of `budget`. @throws {CostExceeded} also where the expression swallowed that */
export function withBudget<T>(budget: Budget, evaluate: () => T): T {
  current = budget;
  const outcome = attempt(evaluate);
  if (budget.remaining < 0) throw new CostExceeded();
  if (!outcome.ok) throw outcome.error;
  return outcome.value;
}

function attempt<T>(
  evaluate: () => T,
): { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown } {
  try {
    return { ok: true, value: evaluate() };
  } catch (error) {
    return { ok: false, error };
  }
}

/** @throws {CostExceeded} this time and every time after */
export function spend(cost: number): void {
  current.remaining -= cost;
  // Not a number: two infinities.
  if (!(current.remaining >= 0)) {
    current.remaining = Number.NEGATIVE_INFINITY;
    throw new CostExceeded();
  }
}

/** Values do not change while they are weighed: those of an object are made once, and those of rules are new. */
const weights = new WeakMap<object, number>();

/** What it costs to read all of a value. */
export function weight(value: unknown): number {
  if (typeof value === "string") return 1 + value.length * PER_CHARACTER;
  if (typeof value !== "object" || value === null) return 1;
  const known = weights.get(value);
  if (known !== undefined) return known;
  const total = weightOf(value);
  weights.set(value, total);
  return total;
}

function weightOf(value: object): number {
  if (value instanceof Uint8Array) return 1 + value.length * PER_CHARACTER;
  if (Array.isArray(value)) return value.reduce<number>((total, element) => total + weight(element), 1);
  return Object.entries(value).reduce((total, [key, field]) => total + weight(key) + weight(field), 1);
}
