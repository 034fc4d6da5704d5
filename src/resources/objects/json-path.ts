/** A step of a path: a field, an element, all elements, or those whose field has a value. */
type Step =
  | { readonly kind: "field"; readonly name: string }
  | { readonly kind: "index"; readonly index: number }
  | { readonly kind: "all" }
  | { readonly kind: "filter"; readonly field: readonly string[]; readonly isEqual: boolean; readonly value: unknown };

/** A path that has been parsed. */
export type JsonPath = readonly Step[];

// Steps as they follow each other: `.name` (with `\.` for a dot), `['name']`, `[0]`, `[*]`, `[?(@.name=="value")]`.
const STEP =
  /\.((?:[^.[\]\\]|\\.)+)|\[\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*\]|\[\s*(-?\d+)\s*\]|\[\s*(\*)\s*\]|\[\?\(\s*@\.([\w.-]+)\s*(==|!=)\s*("(?:[^"\\]|\\.)*"|'[^']*'|[\w.-]+)\s*\)\]/gy;

/**
 * Parses the part of JSONPath that printer columns use.
 * @throws {Error} if the path is not of that part
 * @see Kubernetes, "JSONPath Support"
 */
export function parseJsonPath(text: string): JsonPath {
  const path = text
    .trim()
    .replace(/^\{(.*)\}$/, "$1")
    .replace(/^\$/, "");
  if (path === "" || path === ".") return [];
  const pattern = new RegExp(STEP);
  const steps: Step[] = [];
  while (pattern.lastIndex < path.length) {
    const match = pattern.exec(path);
    if (match === null) throw new Error(`not a JSONPath that a column can have: ${text.slice(0, 200)}`);
    steps.push(stepOf(match));
  }
  return steps;
}

function stepOf(match: RegExpExecArray): Step {
  const [, name, single, double, index, all, field = "", operator, value = ""] = match;
  const quotedName = name ?? single ?? double;
  if (quotedName === "*" && name !== undefined) return { kind: "all" };
  if (quotedName !== undefined) return { kind: "field", name: quotedName.replaceAll(/\\(.)/g, "$1") };
  if (index !== undefined) return { kind: "index", index: Number(index) };
  if (all !== undefined) return { kind: "all" };
  return { kind: "filter", field: field.split("."), isEqual: operator === "==", value: literal(value) };
}

function literal(text: string): unknown {
  if (/^["']/.test(text)) return text.slice(1, -1).replaceAll(/\\(.)/g, "$1");
  if (text === "true" || text === "false") return text === "true";
  return text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** All values at a path, in their order. What is not there yields nothing. */
export function valuesAt(value: unknown, path: JsonPath): unknown[] {
  return path.reduce<unknown[]>((nodes, step) => nodes.flatMap((node) => take(node, step)), [value]);
}

function take(node: unknown, step: Step): unknown[] {
  switch (step.kind) {
    case "field":
      return fieldOf(node, step.name);
    case "index": {
      if (!Array.isArray(node)) return [];
      const element: unknown = node.at(step.index);
      return element === undefined ? [] : [element];
    }
    case "all":
      if (Array.isArray(node)) return node;
      return typeof node === "object" && node !== null ? Object.values(node) : [];
    case "filter":
      if (!Array.isArray(node)) return [];
      return node.filter((element: unknown) => {
        const [found] = step.field.reduce<unknown[]>(
          (nodes, name) => nodes.flatMap((inner) => fieldOf(inner, name)),
          [element],
        );
        return found !== undefined && (found === step.value) === step.isEqual;
      });
  }
}

function fieldOf(node: unknown, name: string): unknown[] {
  if (typeof node !== "object" || node === null || Array.isArray(node) || !Object.hasOwn(node, name)) return [];
  const value = (node as Record<string, unknown>)[name];
  return value === undefined ? [] : [value];
}
