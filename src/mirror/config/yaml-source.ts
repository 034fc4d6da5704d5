import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap } from "yaml";
import { parseYamlDocuments, SyntaxFault, type YamlDocument, type YamlPath } from "../../platform/index.ts";
import { expandVariables, MAX_EXPANDED, type Variables } from "./expand.ts";
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

/** Puts something in the place of a value that was read, by where it is written. */
export type Replacement = (value: unknown, path: YamlPath) => unknown;

/** Problems of one file that are told. */
export const MAX_PROBLEMS = 100;

/** Maps whose keys are names that users choose, not names of fields. */
const FREE_KEYS = new Set(["registries"]);

/**
 * Reads YAML and fills variables into its texts. That happens after the parsing, so a value never brings in structure.
 */
export function readYaml(text: string, variables: Variables, replacement: Replacement = (value) => value): YamlSource {
  const problems: ConfigProblem[] = [];
  const complain = (problem: ConfigProblem): void => void (problems.length < MAX_PROBLEMS && problems.push(problem));
  const expandedPaths = new Set<string>();
  let room = MAX_EXPANDED;
  const { document, faults } = firstDocument(text, (value, path, place) => {
    if (typeof value !== "string") return replacement(value, path);
    const { text: filled, expanded, problems: found } = expandVariables(value, variables, room);
    for (const message of found) complain({ ...place, path: writtenPath(path), message });
    if (!expanded) return replacement(value, path);
    room = Math.max(0, room - filled.length);
    expandedPaths.add(keyOf(fieldPath(path)));
    return filled;
  });
  for (const fault of faults) {
    // YAML takes this brace for the start of a map, and all that follows for a mistake.
    const isVariable = startsVariable(text, fault);
    const message = isVariable ? "a variable has to be in quotes between { } or [ ]" : fault.message;
    complain({ ...fault.place, path: "", message });
    if (isVariable) break;
  }
  const problem = (path: FieldPath, message: string): ConfigProblem => ({ ...locate(document, path), message });
  const value = faults.length > 0 ? undefined : (document?.value ?? null);
  return {
    value: inCamelCase(value, [], (path, message) => complain(problem(path, message))),
    problems,
    problem,
    expanded: (path) => expandedPaths.has(keyOf(path)),
  };
}

type Replace = (value: unknown, path: YamlPath, place: ConfigPlace) => unknown;
type ConfigPlace = Pick<ConfigProblem, "line" | "column">;

/** The document of a file, and what is wrong with it. A file has one. */
function firstDocument(
  text: string,
  replace: Replace,
): { readonly document: YamlDocument | undefined; readonly faults: readonly SyntaxFault[] } {
  try {
    const [document, second] = parseYamlDocuments(text, 2, { mergeKeys: true, replace });
    const faults = [...(document?.faults ?? [])];
    if (second !== undefined) faults.push(new SyntaxFault("a second document is not read", second));
    return { document, faults };
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error;
    return { document: undefined, faults: [error] };
  }
}

function startsVariable(text: string, { place: { line, column } }: SyntaxFault): boolean {
  const written = text.split("\n", line)[line - 1] ?? "";
  return written.slice(Math.max(0, column - 2), column) === "${";
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

/** The path of a field as it is named here. */
function fieldPath(path: YamlPath): FieldPath {
  const isFree = (index: number): boolean => index === 1 && typeof path[0] === "string" && FREE_KEYS.has(path[0]);
  return path.map((step, index) => (typeof step === "number" || isFree(index) ? step : camelCase(step)));
}

function keyOf(path: FieldPath): string {
  return JSON.stringify(path);
}

/** A path as the file writes it. */
function writtenPath(path: readonly (string | number)[]): string {
  return path.reduce<string>((before, step) => {
    if (typeof step === "number") return `${before}[${step}]`;
    return before === "" ? step : `${before}.${step}`;
  }, "");
}

/** Where a field is written, or the nearest one around it, with its path as the file writes it. */
function locate(source: YamlDocument | undefined, path: FieldPath): Omit<ConfigProblem, "message"> {
  let node: unknown = source?.document.contents;
  let offset = source?.document.contents?.range[0] ?? 0;
  let found = source !== undefined;
  const written: (string | number)[] = [];
  for (const step of path) {
    const next = found && source !== undefined ? childOf(source.document, node, step) : undefined;
    if (next === undefined) found = false;
    else ({ node, offset } = next);
    written.push(typeof step === "number" ? step : (next?.key ?? snakeCase(String(step))));
  }
  const { line, column } = source?.place(offset) ?? { line: 1, column: 1 };
  return { line, column, path: writtenPath(written) };
}

interface Child {
  readonly key: string;
  readonly node: unknown;
  readonly offset: number;
}

function childOf(document: Document.Parsed, parent: unknown, step: PropertyKey): Child | undefined {
  const holder = isAlias(parent) ? parent.resolve(document) : parent;
  if (isSeq(holder) && typeof step === "number") {
    const node = holder.items[step];
    return node === undefined ? undefined : { key: String(step), node, offset: startOf(node) };
  }
  const pair = isMap(holder) ? membersOf(holder).get(String(step)) : undefined;
  if (pair === undefined) return undefined;
  return { key: nameOf(pair), node: pair.value, offset: startOf(pair.key) };
}

/** The members of maps by both their names, kept as long as the map is: each problem of a file asks for one. */
const MEMBERS = new WeakMap<YAMLMap, ReadonlyMap<string, Pair>>();

function membersOf(map: YAMLMap): ReadonlyMap<string, Pair> {
  const known = MEMBERS.get(map);
  if (known !== undefined) return known;
  const members = new Map<string, Pair>();
  for (const pair of map.items) {
    for (const name of [nameOf(pair), camelCase(nameOf(pair))]) if (!members.has(name)) members.set(name, pair);
  }
  MEMBERS.set(map, members);
  return members;
}

function nameOf({ key }: Pair): string {
  return String(isScalar(key) ? key.value : key);
}

function startOf(node: unknown): number {
  return (typeof node === "object" && node !== null && "range" in node ? (node as Node).range?.[0] : undefined) ?? 0;
}
