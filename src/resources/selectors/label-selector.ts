import { badRequest } from "../status-error.ts";

/** One condition on labels. */
export type LabelRequirement =
  | { readonly key: string; readonly operator: "in" | "notin"; readonly values: readonly string[] }
  | { readonly key: string; readonly operator: "exists" | "!" }
  /** The label's value is a whole number above or below this one, which is in digits. */
  | { readonly key: string; readonly operator: ">" | "<"; readonly bound: string };

const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
/** A DNS subdomain: no dot next to a dot or a dash. */
const PREFIX = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;
const MAX_PREFIX = 253;
const VALUE = /^(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/;

/** Whether `key` may be the key of a label or an annotation. */
export function isLabelKey(key: string): boolean {
  const slash = key.indexOf("/");
  if (slash < 0) return NAME.test(key);
  return slash <= MAX_PREFIX && PREFIX.test(key.slice(0, slash)) && NAME.test(key.slice(slash + 1));
}

export function isLabelValue(value: string): boolean {
  return VALUE.test(value);
}

/**
 * Parses a label selector: `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1,m<9`; all conditions must hold.
 * @throws {StatusError} BadRequest
 */
export function parseLabelSelector(text: string): LabelRequirement[] {
  return splitOutsideParentheses(text).map(parseRequirement);
}

function splitOutsideParentheses(text: string): string[] {
  if (text.trim() === "") return [];
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (character === "(") depth += 1;
    else if (character === ")") depth -= 1;
    else if (character === "," && depth === 0) {
      parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

function parseRequirement(part: string): LabelRequirement {
  const text = part.trim();
  const set = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(text);
  if (set !== null) {
    const [, key = "", operator, list = ""] = set;
    const values = list.split(",").map((value) => checkedValue(value.trim()));
    return { key: checkedKey(key), operator: operator === "in" ? "in" : "notin", values };
  }
  if (text.startsWith("!")) return { key: checkedKey(text.slice(1).trim()), operator: "!" };
  const order = /^([^<>=!]+)([<>])(.*)$/.exec(text);
  if (order !== null) {
    const [, key = "", operator, value = ""] = order;
    const bound = value.trim();
    if (labelNumber(bound) === undefined) {
      throw badRequest(`unable to parse label selector: "${value.slice(0, 100)}" is not a whole number of 64 bits`);
    }
    return { key: checkedKey(key.trim()), operator: operator === ">" ? ">" : "<", bound };
  }
  const equality = /^([^!=]+)(!=|==|=)(.*)$/.exec(text);
  if (equality === null) return { key: checkedKey(text), operator: "exists" };
  const [, key = "", operator, value = ""] = equality;
  return {
    key: checkedKey(key.trim()),
    operator: operator === "!=" ? "notin" : "in",
    values: [checkedValue(value.trim())],
  };
}

/** The largest whole number of 64 bits. */
export const MAX_LABEL_NUMBER = 2n ** 63n - 1n;

/** The number that a label's value is, if it is one. A label cannot begin with a sign. */
function labelNumber(value: string): bigint | undefined {
  if (!/^\d{1,63}$/.test(value)) return undefined;
  const number = BigInt(value);
  return number <= MAX_LABEL_NUMBER ? number : undefined;
}

function checkedKey(key: string): string {
  if (!isLabelKey(key)) throw badRequest(`unable to parse label selector: "${key.slice(0, 100)}" is not a label key`);
  return key;
}

function checkedValue(value: string): string {
  if (!isLabelValue(value))
    throw badRequest(`unable to parse label selector: "${value.slice(0, 100)}" is not a label value`);
  return value;
}

/** Whether labels satisfy every condition. `notin` holds where there is no such label. */
export function matchesLabels(
  labels: Readonly<Record<string, string>> | undefined,
  requirements: readonly LabelRequirement[],
): boolean {
  return requirements.every((requirement) => {
    const value = labels !== undefined && Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined;
    switch (requirement.operator) {
      case "exists":
        return value !== undefined;
      case "!":
        return value === undefined;
      case "in":
        return value !== undefined && requirement.values.includes(value);
      case "notin":
        return value === undefined || !requirement.values.includes(value);
      case ">":
      case "<": {
        const number = value === undefined ? undefined : labelNumber(value);
        if (number === undefined) return false;
        const bound = BigInt(requirement.bound);
        return requirement.operator === ">" ? number > bound : number < bound;
      }
    }
  });
}
