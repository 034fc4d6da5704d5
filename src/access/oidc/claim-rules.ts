import type { ClaimRule } from "../directory.ts";
import { matchesGlob } from "../glob.ts";

/** The first rule whose claims all match, or `undefined`. */
export function matchingRule(
  rules: readonly ClaimRule[],
  claims: Readonly<Record<string, unknown>>,
): ClaimRule | undefined {
  return rules.find((rule) => matchesClaims(rule.claims, claims));
}

/** Whether a token's claims are as the rule wants them. A rule that wants nothing matches nothing: it would let in all. */
function matchesClaims(wanted: Readonly<Record<string, string>>, claims: Readonly<Record<string, unknown>>): boolean {
  const entries = Object.entries(wanted);
  return (
    entries.length > 0 &&
    entries.every(([path, pattern]) => values(claims, path).some((text) => matchesGlob(pattern, text)))
  );
}

/**
 * What is at a path, as texts: of an array, all its elements. A dot goes down into objects, but may also be part of a
 * claim's name, as in `https://example.com/groups`.
 */
function values(value: unknown, path: string | undefined): string[] {
  if (Array.isArray(value)) return value.flatMap((element) => values(element, path));
  if (path === undefined) return isScalar(value) ? [String(value)] : [];
  if (typeof value !== "object" || value === null) return [];
  const found = Object.hasOwn(value, path) ? values((value as Record<string, unknown>)[path], undefined) : [];
  for (let dot = path.indexOf("."); dot > 0; dot = path.indexOf(".", dot + 1)) {
    const head = path.slice(0, dot);
    if (Object.hasOwn(value, head)) {
      found.push(...values((value as Record<string, unknown>)[head], path.slice(dot + 1)));
    }
  }
  return found;
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}
