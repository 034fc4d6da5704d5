import type { TemplatePart } from "./template.ts";

/** A part of a pattern: a character, `?` (one within a component), `*` (any within one), `**` (any), `**` + `/` (whole components). */
type Token = string;

/** Names that a glob matches, or that a template makes of those. */
export type NamePattern = readonly Token[];

/** The names of a glob. @see compileGlob */
export function namePattern(glob: string): NamePattern {
  return glob.match(/\*\*\/|\*\*|\*|[\s\S]/g) ?? [];
}

/** The one name that a pattern stands for; `undefined` if there may be several. */
export function exactName(pattern: NamePattern): string | undefined {
  const known = exactNames.get(pattern);
  if (known !== undefined) return known.name;
  const name = pattern.some((token) => token === "?" || token.startsWith("*")) ? undefined : pattern.join("");
  exactNames.set(pattern, { name });
  return name;
}

// Patterns are compared with many others.
const exactNames = new WeakMap<NamePattern, { readonly name: string | undefined }>();
const automata = new WeakMap<NamePattern, readonly State[]>();

const isOpen = (token: Token) => token === "**" || token === "**/";

/**
 * The names that a template makes of those of a pattern, or more: what varies in two places may be different in each.
 * `project` is that of the source rule.
 */
export function filledPattern(
  template: readonly TemplatePart[],
  source: NamePattern,
  project: string | undefined,
): NamePattern {
  const parts = { Repository: source, ...projectOf(source, project), Base: baseOf(source), Tag: ["*"] };
  return template.flatMap((part) => (typeof part === "string" ? namePattern(part) : parts[part.variable]));
}

/** As `variablesOf` splits a name. */
function projectOf(source: NamePattern, project: string | undefined): Record<"Project" | "Name", NamePattern> {
  const below = project === undefined ? [] : namePattern(`${project}/`);
  if (below.length > 0 && below.every((character, index) => source[index] === character)) {
    return { Project: below.slice(0, -1), Name: source.slice(below.length) };
  }
  const open = source.findIndex((token) => token === "/" || isOpen(token));
  if (open < 0) return { Project: [], Name: source };
  if (source[open] === "/") return { Project: source.slice(0, open), Name: source.slice(open + 1) };
  return { Project: [...source.slice(0, open), "*"], Name: ["**"] };
}

function baseOf(source: NamePattern): NamePattern {
  const last = source.findLastIndex((token) => token === "/" || isOpen(token));
  const rest = source.slice(last + 1);
  return source[last] === "**" ? ["*", ...rest] : rest;
}

/** Whether a name may be one of both patterns. */
export function meet(one: NamePattern, other: NamePattern): boolean {
  const [name, counterpart] = [exactName(one), exactName(other)];
  if (name !== undefined && counterpart !== undefined) return name === counterpart;
  const [a, b] = [automatonOf(one), automatonOf(other)];
  const seen = new Set<number>();
  const open: [number, number][] = [[0, 0]];
  for (let pair = open.pop(); pair !== undefined; pair = open.pop()) {
    const [left, right] = pair;
    const key = left * (b.length + 1) + right;
    if (seen.has(key)) continue;
    seen.add(key);
    const [state, counterpart] = [a[left], b[right]];
    if (state === undefined || counterpart === undefined) continue;
    if (state.ends && counterpart.ends) return true;
    for (const to of state.skips) open.push([to, right]);
    for (const to of counterpart.skips) open.push([left, to]);
    for (const { takes, to } of state.steps) {
      for (const step of counterpart.steps) if (agree(takes, step.takes)) open.push([to, step.to]);
    }
  }
  return false;
}

/** What a step takes: a character, or any but the slash (`part`), or any. */
type Takes = { readonly character: string } | "part" | "any";

interface State {
  readonly steps: readonly { readonly takes: Takes; readonly to: number }[];
  /** States that are reached without a character. */
  readonly skips: readonly number[];
  readonly ends: boolean;
}

function agree(one: Takes, other: Takes): boolean {
  if (one === "any" || other === "any") return true;
  if (one === "part" || other === "part") {
    const character = one === "part" ? other : one;
    return character === "part" || (typeof character === "object" && character.character !== "/");
  }
  return one.character === other.character;
}

function automatonOf(pattern: NamePattern): readonly State[] {
  const known = automata.get(pattern) ?? automaton(pattern);
  automata.set(pattern, known);
  return known;
}

/** State `i` is before token `i`; those after the last are within components of `**` + `/`. */
function automaton(pattern: NamePattern): readonly State[] {
  const within: State[] = [];
  const states = pattern.map((token, at): State => {
    const next = at + 1;
    if (token === "?") return { steps: [{ takes: "part", to: next }], skips: [], ends: false };
    if (token === "*" || token === "**") {
      return { steps: [{ takes: token === "*" ? "part" : "any", to: at }], skips: [next], ends: false };
    }
    if (token !== "**/") return { steps: [{ takes: { character: token }, to: next }], skips: [], ends: false };
    const inside = pattern.length + 1 + within.length;
    const slash = { takes: { character: "/" }, to: at };
    within.push({ steps: [{ takes: "part", to: inside }, slash], skips: [], ends: false });
    return { steps: [{ takes: "part", to: inside }], skips: [next], ends: false };
  });
  return [...states, { steps: [], skips: [], ends: true }, ...within];
}
