/** A JSON object of unknown content. Its keys may be anything, `__proto__` and `constructor` included. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** How deep a value may be nested before the walkers of this folder give up on it. */
export const MAX_DEPTH = 64;

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An own property; never one that a prototype brings. */
export function own<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}

/** The name of a value's JSON type; whole numbers are `integer`. */
export function jsonTypeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

/** The same text for equal values, whatever the order of their keys. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== "object") return JSON.stringify(value);
  return JSON.stringify(value, (_key, node: unknown) => {
    if (!isRecord(node)) return node;
    return Object.fromEntries(Object.entries(node).sort(([left], [right]) => (left < right ? -1 : 1)));
  });
}

/** Whether two values are the same, whatever the order of their keys. A member that is `undefined` is none. */
export function equalJson(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (Array.isArray(left)) {
    if (!Array.isArray(right) || left.length !== right.length) return false;
    return left.every((item, index) => equalJson(item, right[index]));
  }
  if (!isRecord(left) || !isRecord(right)) return false;
  let count = 0;
  for (const key of Object.keys(left)) {
    if (left[key] === undefined) continue;
    if (!equalJson(left[key], own(right, key))) return false;
    count += 1;
  }
  return count === Object.keys(right).filter((key) => right[key] !== undefined).length;
}

/** Paths as Kubernetes writes them: `spec.list[0].bar`. */
export function fieldOf(parent: string, key: string): string {
  return parent === "" ? key : `${parent}.${key}`;
}

export function elementOf(parent: string, index: number): string {
  return `${parent}[${index}]`;
}

/** A value as an error quotes it: never the content of a composite, and never much of a text. */
export function quoted(value: unknown): string {
  if (typeof value === "object" && value !== null) return `"${jsonTypeOf(value)}"`;
  const text = JSON.stringify(value) ?? "null";
  return text.length <= 200 ? text : `${text.slice(0, 197)}..."`;
}
