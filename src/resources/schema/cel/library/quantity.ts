import type { Environment } from "@marcbachmann/cel-js";

/** An amount in billionths, the smallest that Kubernetes tells apart. */
class Quantity {
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

const BILLION = 1_000_000_000n;
const BINARY = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, "": 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const SHAPE = /^([+-]?)(\d{0,30})(?:\.(\d{0,30}))?([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d{1,2})?$/;

/** @see Kubernetes, "CEL in Kubernetes", quantity library; kubernetes/apimachinery, pkg/api/resource, ParseQuantity */
export function registerQuantity(environment: Environment): void {
  const compare = (left: Quantity, right: Quantity): bigint =>
    left.nanos === right.nanos ? 0n : left.nanos < right.nanos ? -1n : 1n;
  const isWhole = ({ nanos }: Quantity): boolean => nanos % BILLION === 0n;
  environment
    .registerType("Quantity", Quantity)
    .registerOperator("Quantity == Quantity", (left: Quantity, right: Quantity) => left.nanos === right.nanos)
    .registerFunction("isQuantity(string): bool", (text: string) => parse(text) !== undefined)
    .registerFunction("quantity(string): Quantity", (text: string) => {
      const quantity = parse(text);
      if (quantity === undefined) throw new Error(`not a quantity: ${text.slice(0, 100)}`);
      return quantity;
    })
    .registerFunction("Quantity.compareTo(Quantity): int", compare)
    .registerFunction(
      "Quantity.isGreaterThan(Quantity): bool",
      (left: Quantity, right: Quantity) => compare(left, right) > 0n,
    )
    .registerFunction(
      "Quantity.isLessThan(Quantity): bool",
      (left: Quantity, right: Quantity) => compare(left, right) < 0n,
    )
    .registerFunction("Quantity.sign(): int", ({ nanos }: Quantity) => (nanos === 0n ? 0n : nanos < 0n ? -1n : 1n))
    .registerFunction("Quantity.isInteger(): bool", isWhole)
    .registerFunction("Quantity.asInteger(): int", (quantity: Quantity) => {
      if (!isWhole(quantity)) throw new Error("the quantity is no whole number");
      return quantity.nanos / BILLION;
    })
    .registerFunction("Quantity.asApproximateFloat(): double", ({ nanos }: Quantity) => Number(nanos) / 1e9)
    .registerFunction(
      "Quantity.add(Quantity): Quantity",
      (left: Quantity, right: Quantity) => new Quantity(left.nanos + right.nanos),
    )
    .registerFunction(
      "Quantity.add(int): Quantity",
      (left: Quantity, right: bigint) => new Quantity(left.nanos + right * BILLION),
    )
    .registerFunction(
      "Quantity.sub(Quantity): Quantity",
      (left: Quantity, right: Quantity) => new Quantity(left.nanos - right.nanos),
    )
    .registerFunction(
      "Quantity.sub(int): Quantity",
      (left: Quantity, right: bigint) => new Quantity(left.nanos - right * BILLION),
    );
}

function parse(text: string): Quantity | undefined {
  const match = SHAPE.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = "", suffix = ""] = match;
  if (whole === "" && fraction === "") return undefined;
  const digits = BigInt(`${whole}${fraction}`);
  const nanos = scaled(digits, -fraction.length, suffix);
  return new Quantity(sign === "-" ? -nanos : nanos);
}

/** What is less than a billionth is rounded away from zero. */
function scaled(digits: bigint, exponent: number, suffix: string): bigint {
  const power = BINARY.indexOf(suffix) + 1;
  const decimal = power > 0 ? 0 : (DECIMAL[suffix] ?? Number(suffix.slice(1)));
  const amount = digits * 1024n ** BigInt(power);
  const shift = exponent + decimal + 9;
  if (shift >= 0) return amount * 10n ** BigInt(shift);
  const divisor = 10n ** BigInt(-shift);
  return (amount + divisor - 1n) / divisor;
}
