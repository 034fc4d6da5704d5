import { badRequest } from "../status-error.ts";

/** One condition on a field, named by its path without a leading dot. */
export interface FieldRequirement {
  readonly path: string;
  readonly operator: "=" | "!=";
  readonly value: string;
}

/** Paths that every kind can be selected by. */
const COMMON = ["metadata.name", "metadata.namespace"];

/**
 * Parses a field selector, `a=b,c!=d`; all conditions must hold.
 * @param selectable the kind's own fields, as `.spec.source`
 * @throws {StatusError} BadRequest
 */
export function parseFieldSelector(text: string, selectable: readonly string[]): FieldRequirement[] {
  const known = new Set([...COMMON, ...selectable.map((path) => path.replace(/^\./, ""))]);
  const terms = splitUnescaped(text).filter((term) => term.trim() !== "");
  return terms.map((term) => {
    // What stands before the operator has no escapes: it is a path.
    const match = /^([^!=\\]+)(!=|==|=)(.*)$/s.exec(term);
    if (match === null) throw badRequest(`unable to parse field selector: ${term.slice(0, 100)}`);
    const [, given = "", operator, value = ""] = match;
    const path = given.trim();
    if (!known.has(path)) throw badRequest(`field label not supported: ${path.slice(0, 100)}`);
    return { path, operator: operator === "!=" ? "!=" : "=", value: unescaped(value) };
  });
}

/** Splits at commas without a backslash before them. */
function splitUnescaped(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === "\\") index += 1;
    else if (text[index] === ",") {
      terms.push(text.slice(start, index));
      start = index + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

/** A value with `\,`, `\=` and `\\` as what they stand for. @see kubernetes/apimachinery, fields.UnescapeValue */
function unescaped(value: string): string {
  const plain = value.replaceAll(/\\[\\,=]/g, "");
  if (/[\\=]/.test(plain)) {
    throw badRequest(`unable to parse field selector: in ${value.slice(0, 100)}, a backslash or "=" must be escaped`);
  }
  return value.replaceAll(/\\([\\,=])/g, "$1");
}

/** Whether an object satisfies every condition. An absent field is the empty text. */
export function matchesFields(object: unknown, requirements: readonly FieldRequirement[]): boolean {
  return requirements.every(({ path, operator, value }) => (fieldText(object, path) === value) === (operator === "="));
}

function fieldText(object: unknown, path: string): string {
  let node = object;
  for (const name of path.split(".")) {
    if (typeof node !== "object" || node === null || !Object.hasOwn(node, name)) return "";
    node = (node as Record<string, unknown>)[name];
  }
  return typeof node === "string" || typeof node === "number" || typeof node === "boolean" ? String(node) : "";
}
