import { isPoisonous, MAX_NESTING } from "../../platform/index.ts";
import { isRecord } from "../schema/values.ts";

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

/** Whether a value is nested deeper than a text may be: what a patch makes is held to it too. It does not recurse, as the value may be very deep. */
export function isTooDeep(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_NESTING) return true;
    level = level.flatMap((node) => (typeof node === "object" && node !== null ? Object.values(node) : []));
    level = level.filter((node) => typeof node === "object" && node !== null);
  }
  return false;
}
