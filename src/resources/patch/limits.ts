import { isRecord } from "../schema/values.ts";

/** Keys that mean something to JavaScript itself. No object that is kept has them. */
const POISONOUS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

export function isPoisonous(key: string): boolean {
  return POISONOUS.has(key);
}

/** The first such key anywhere in a value. */
export function findPoison(value: unknown): string | undefined {
  const children = Array.isArray(value) ? (value as readonly unknown[]) : isRecord(value) ? Object.values(value) : [];
  if (isRecord(value)) {
    const key = Object.keys(value).find(isPoisonous);
    if (key !== undefined) return key;
  }
  for (const child of children) {
    const key = findPoison(child);
    if (key !== undefined) return key;
  }
  return undefined;
}

/** How deep an object may be nested. The body of a request is held to it, and so is what a patch makes. */
export const MAX_NESTING = 100;

/** Whether a value is nested deeper than that. It does not recurse, as the value may be very deep. */
export function isTooDeep(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_NESTING) return true;
    level = level.flatMap((node) => (typeof node === "object" && node !== null ? Object.values(node) : []));
    level = level.filter((node) => typeof node === "object" && node !== null);
  }
  return false;
}
