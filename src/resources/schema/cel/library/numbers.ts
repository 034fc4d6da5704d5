import type { Environment } from "@marcbachmann/cel-js";

/** What `math` is; each such name has a type of its own. */
class MathFunctions {
  readonly library = "math";
}

type Numeric = bigint | number;

/** @see cel-go, ext/math.go */
export function registerMath(environment: Environment): void {
  environment.registerType("Math", MathFunctions).registerConstant("math", "Math", new MathFunctions());
  const pick = (name: string, isBetter: (left: Numeric, right: Numeric) => boolean): void => {
    const best = (_: MathFunctions, ...values: readonly Numeric[]) =>
      values.reduce((left, right) => (isBetter(right, left) ? right : left));
    for (const count of [2, 3, 4, 5]) {
      const parameters = Array.from({ length: count }, () => "dyn").join(", ");
      environment.registerFunction(`Math.${name}(${parameters}): dyn`, best);
    }
    environment.registerFunction(`Math.${name}(list): dyn`, (self: MathFunctions, list: readonly Numeric[]) => {
      if (list.length === 0) throw new Error(`math.${name} of an empty list`);
      return best(self, ...list);
    });
  };
  pick("greatest", (left, right) => left > right);
  pick("least", (left, right) => left < right);
  const rounding: Readonly<Record<string, (value: number) => number>> = {
    ceil: Math.ceil,
    floor: Math.floor,
    trunc: Math.trunc,
    // Halves go away from zero.
    round: (value) => Math.sign(value) * Math.round(Math.abs(value)),
  };
  for (const [name, round] of Object.entries(rounding)) {
    environment.registerFunction(`Math.${name}(double): double`, (_: MathFunctions, value: number) => round(value));
  }
  environment
    .registerFunction("Math.abs(int): int", (_: MathFunctions, value: bigint) => (value < 0n ? -value : value))
    .registerFunction("Math.abs(double): double", (_: MathFunctions, value: number) => Math.abs(value))
    .registerFunction("Math.sign(int): int", (_: MathFunctions, value: bigint) => BigInt(Math.sign(Number(value))))
    .registerFunction("Math.sign(double): double", (_: MathFunctions, value: number) => Math.sign(value))
    .registerFunction("Math.isNaN(double): bool", (_: MathFunctions, value: number) => Number.isNaN(value))
    .registerFunction("Math.isFinite(double): bool", (_: MathFunctions, value: number) => Number.isFinite(value))
    .registerFunction(
      "Math.isInf(double): bool",
      (_: MathFunctions, value: number) => !Number.isFinite(value) && !Number.isNaN(value),
    );
}
