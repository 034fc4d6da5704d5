import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from "yaml";
import { expandVariables, type Variables } from "./expand.ts";
import type { ConfigProblem } from "./sync-config.ts";

/** Where something is in a document: names of fields in camel case, and places in lists. */
export type FieldPath = readonly PropertyKey[];

/** A YAML text as plain values, which remembers where each value was written. */
export interface YamlSource {
  /** Names of fields are in camel case, whichever case they were written in. */
  readonly value: unknown;
  readonly problems: readonly ConfigProblem[];
  /** A problem at a field; at the nearest one around it if it is not there. */
  problem(path: FieldPath, message: string): ConfigProblem;
  /** Whether the text of a field came from variables, so that `true` or `5` could not be written as what it is. */
  expanded(path: FieldPath): boolean;
}

/** Maps whose keys are names that users choose, not names of fields. */
const FREE_KEYS = new Set(["registries"]);

/**
 * Reads YAML and fills variables into its texts. That happens after the parsing, so a value never brings in structure.
 */
export function readYaml(text: string, variables: Variables): YamlSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  const problems: ConfigProblem[] = [];
  const expandedNodes = new Set<unknown>();
  const at = (offset: number, path: string, message: string): ConfigProblem => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1), path, message };
  };
  for (const error of document.errors) {
    const [offset] = error.pos;
    // YAML takes this brace for the start of a map, and all that follows for a mistake.
    const isVariable = text.slice(offset - 1, offset + 1) === "${";
    problems.push(at(offset, "", isVariable ? "a variable has to be in quotes between { } or [ ]" : error.message));
    if (isVariable) break;
  }
  visit(document, {
    Scalar(key, node) {
      if (key === "key" || typeof node.value !== "string") return;
      const { text, expanded, problems: found } = expandVariables(node.value, variables);
      for (const message of found) problems.push(at(node.range?.[0] ?? 0, pathOf(document, node), message));
      if (!expanded) return;
      node.value = text;
      expandedNodes.add(node);
    },
  });
  const value = plainValue(document, (message) => problems.push(at(0, "", message)));
  return {
    value: inCamelCase(value, [], (path, message) => {
      const place = locate(document, path);
      problems.push(at(place.offset, place.path, message));
    }),
    problems,
    problem: (path, message) => {
      const place = locate(document, path);
      return at(place.offset, place.path, message);
    },
    expanded: (path) => expandedNodes.has(locate(document, path).node),
  };
}

function plainValue(document: Document, fail: (message: string) => void): unknown {
  if (document.errors.length > 0) return undefined;
  try {
    return document.toJS();
  } catch (error) {
    // An alias of nothing, or more aliases than a file needs.
    fail(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

/** Older files have it as one word. */
const ONE_WORD: Readonly<Record<string, string>> = { ratelimit: "rateLimit" };

function camelCase(name: string): string {
  return ONE_WORD[name] ?? name.replace(/(?<=[a-z0-9])_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}

/** A name of a field as files usually write it. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function inCamelCase(value: unknown, path: FieldPath, fail: (path: FieldPath, message: string) => void): unknown {
  if (Array.isArray(value)) return value.map((entry, index) => inCamelCase(entry, [...path, index], fail));
  if (typeof value !== "object" || value === null) return value;
  const free = path.length === 1 && typeof path[0] === "string" && FREE_KEYS.has(path[0]);
  const result: Record<string, unknown> = Object.create(null);
  for (const [key, entry] of Object.entries(value)) {
    const name = free ? key : camelCase(key);
    if (name in result) fail([...path, name], `is written twice, as ${name} and in snake case`);
    // An empty entry is one that is not given.
    if (entry !== null) result[name] = inCamelCase(entry, [...path, name], fail);
  }
  return result;
}

interface Place {
  readonly node: unknown;
  readonly offset: number;
  readonly path: string;
}

/** The node at a path, or the nearest one around it, with its path as the file writes it. */
function locate(document: Document, path: FieldPath): Place {
  let node: unknown = document.contents;
  let offset = document.contents?.range?.[0] ?? 0;
  let written = "";
  let found = true;
  for (const step of path) {
    const next: { key: string; node: unknown; offset: number } | undefined = found
      ? childOf(document, node, step)
      : undefined;
    if (next === undefined) found = false;
    else ({ node, offset } = next);
    const shown = next?.key ?? snakeCase(String(step));
    written += typeof step === "number" ? `[${shown}]` : `${written === "" ? "" : "."}${shown}`;
  }
  return { node: found ? node : undefined, offset, path: written };
}

function childOf(
  document: Document,
  parent: unknown,
  step: PropertyKey,
): { key: string; node: unknown; offset: number } | undefined {
  const holder = isAlias(parent) ? parent.resolve(document) : parent;
  if (isSeq(holder) && typeof step === "number") {
    const node = holder.items[step];
    return node === undefined ? undefined : { key: String(step), node, offset: startOf(node) };
  }
  if (!isMap(holder)) return undefined;
  const pair = holder.items.find(({ key }) => {
    const name = String(isScalar(key) ? key.value : key);
    return name === step || camelCase(name) === step;
  });
  if (pair === undefined) return undefined;
  return { key: String(isScalar(pair.key) ? pair.key.value : pair.key), node: pair.value, offset: startOf(pair.key) };
}

function startOf(node: unknown): number {
  return (typeof node === "object" && node !== null && "range" in node ? (node as Node).range?.[0] : undefined) ?? 0;
}

/** The path of a scalar as the file writes it. */
function pathOf(document: Document, wanted: unknown): string {
  let result = "";
  const search = (node: unknown, path: string): boolean => {
    if (node === wanted) {
      result = path;
      return true;
    }
    if (isSeq(node)) return node.items.some((item, index) => search(item, `${path}[${index}]`));
    if (!isMap(node)) return false;
    return node.items.some(({ key, value }) => {
      const name = String(isScalar(key) ? key.value : key);
      return search(value, path === "" ? name : `${path}.${name}`);
    });
  };
  search(document.contents, "");
  return result;
}
