import { err, ok, type Result } from "../../platform/index.ts";
import { compareDigits, compareText, isDigits } from "./natural-order.ts";

/** A semantic version, without its build metadata, which does not count in comparisons. @see https://semver.org */
export interface Version {
  readonly numbers: readonly [major: number, minor: number, patch: number];
  readonly prerelease: readonly string[];
}

interface Comparator {
  readonly operator: "<" | "<=" | ">" | ">=" | "=";
  readonly version: Version;
}

/** Alternatives of which one has to hold; in each, all comparators have to. */
export type VersionRange = readonly (readonly Comparator[])[];

const NUMBER = String.raw`(?:0|[1-9]\d{0,14})`;
const IDENTIFIERS = String.raw`[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*`;
const VERSION = new RegExp(
  String.raw`^v?(${NUMBER})\.(${NUMBER})\.(${NUMBER})(?:-(${IDENTIFIERS}))?(?:\+${IDENTIFIERS})?$`,
);
const PART = String.raw`(${NUMBER}|[xX*])`;
const PARTIAL = new RegExp(
  String.raw`^v?${PART}(?:\.${PART}(?:\.${PART}(?:-(${IDENTIFIERS}))?(?:\+${IDENTIFIERS})?)?)?$`,
);

/** A tag as a semantic version, with a leading `v` or without; `undefined` if it is none. */
export function parseVersion(text: string): Version | undefined {
  const match = VERSION.exec(text);
  if (match === null) return undefined;
  const prerelease = identifiersOf(match[4]);
  if (prerelease === undefined) return undefined;
  return { numbers: [Number(match[1]), Number(match[2]), Number(match[3])], prerelease };
}

/** By precedence, as section 11 of the specification has it. */
export function compareVersions(a: Version, b: Version): number {
  for (const index of [0, 1, 2] as const) {
    if (a.numbers[index] !== b.numbers[index]) return a.numbers[index] - b.numbers[index];
  }
  if (a.prerelease.length === 0 || b.prerelease.length === 0) return b.prerelease.length - a.prerelease.length;
  for (const [index, left] of a.prerelease.entries()) {
    const right = b.prerelease[index];
    if (right === undefined) return 1;
    const order = compareIdentifiers(left, right);
    if (order !== 0) return order;
  }
  return a.prerelease.length - b.prerelease.length;
}

function compareIdentifiers(a: string, b: string): number {
  if (isDigits(a) && isDigits(b)) return compareDigits(a, b);
  if (isDigits(a) !== isDigits(b)) return isDigits(a) ? -1 : 1;
  return compareText(a, b);
}

/**
 * A range: alternatives by `||`, and within one comparators by spaces or commas that all have to hold: `<`, `<=`, `>`,
 * `>=`, `=`, `^`, `~`, partial versions and `x` (`1.2.x`), and `1.2 - 2.3` for both ends included.
 * @see https://github.com/npm/node-semver#ranges
 */
export function parseRange(text: string): Result<VersionRange, string> {
  const alternatives: (readonly Comparator[])[] = [];
  for (const alternative of text.split("||")) {
    const comparators = parseAlternative(alternative.trim());
    if (!comparators.ok) return comparators;
    alternatives.push(comparators.value);
  }
  return ok(alternatives);
}

/** What is wrong with a range, if anything. */
export function rangeProblem(text: string): string | undefined {
  const parsed = parseRange(text);
  return parsed.ok ? undefined : parsed.error;
}

/** Whether a version is within a range. A pre-release is only if a comparator names one of the same three numbers. */
export function satisfies(version: Version, range: VersionRange): boolean {
  return range.some((comparators) => {
    if (!comparators.every((comparator) => holds(version, comparator))) return false;
    if (version.prerelease.length === 0) return true;
    return comparators.some(
      (comparator) =>
        comparator.version.prerelease.length > 0 &&
        comparator.version.numbers.every((number, index) => number === version.numbers[index]),
    );
  });
}

function holds(version: Version, { operator, version: bound }: Comparator): boolean {
  const order = compareVersions(version, bound);
  switch (operator) {
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
    case "=":
      return order === 0;
  }
}

function parseAlternative(text: string): Result<readonly Comparator[], string> {
  const hyphen = /^(\S+)\s+-\s+(\S+)$/.exec(text);
  const terms =
    hyphen === null
      ? text
          .replaceAll(/([<>=^~])\s+(?=[^\s<>=^~])/g, "$1")
          .split(/[\s,]+/)
          .filter((term) => term !== "")
      : [`>=${hyphen[1]}`, `<=${hyphen[2]}`];
  const comparators: Comparator[] = [];
  for (const term of terms) {
    const match = /^(<=|>=|<|>|=|\^|~>?)?([^<>=^~]+)$/.exec(term);
    const partial = match === null ? undefined : parsePartial(match[2] ?? "");
    if (match === null || partial === undefined) {
      return err(`has ${JSON.stringify(term)}, which is no comparison with a version`);
    }
    comparators.push(...comparatorsOf(match[1] ?? "=", partial));
  }
  return ok(comparators);
}

/** A version with only the numbers before the first that is missing or `x`. */
interface Partial {
  readonly given: readonly number[];
  readonly prerelease: readonly string[];
}

function parsePartial(text: string): Partial | undefined {
  const match = PARTIAL.exec(text);
  if (match === null) return undefined;
  const parts = [match[1], match[2], match[3]];
  const open = parts.findIndex((part) => part === undefined || /^[xX*]$/.test(part));
  const given = (open < 0 ? parts : parts.slice(0, open)).map(Number);
  const prerelease = identifiersOf(match[4]);
  if (prerelease === undefined || (prerelease.length > 0 && given.length < 3)) return undefined;
  return { given, prerelease };
}

function comparatorsOf(operator: string, partial: Partial): readonly Comparator[] {
  const { given, prerelease } = partial;
  const floor = versionOf(given, prerelease);
  const isWhole = given.length === 3;
  // `*` allows all, `<*` and `>*` nothing.
  if (given.length === 0) return /^[<>]$/.test(operator) ? [{ operator: "<", version: LOWEST }] : [];
  switch (operator) {
    case "^":
      return between(floor, caretCeiling(given));
    case "~":
    case "~>":
      return between(floor, ceilingAfter(given.slice(0, 2)));
    case "=":
      return isWhole ? [{ operator: "=", version: floor }] : between(floor, ceilingAfter(given));
    case ">=":
      return [{ operator: ">=", version: floor }];
    case "<":
      return [{ operator: "<", version: isWhole ? floor : { ...floor, prerelease: ["0"] } }];
    case ">":
      return isWhole
        ? [{ operator: ">", version: floor }]
        : [{ operator: ">=", version: { ...ceilingAfter(given), prerelease: [] } }];
    default:
      return isWhole ? [{ operator: "<=", version: floor }] : [{ operator: "<", version: ceilingAfter(given) }];
  }
}

/** Below all: `0` is the lowest pre-release. */
const LOWEST: Version = { numbers: [0, 0, 0], prerelease: ["0"] };

function between(floor: Version, ceiling: Version): readonly Comparator[] {
  return [
    { operator: ">=", version: floor },
    { operator: "<", version: ceiling },
  ];
}

/** The lowest version above all that begin with the given numbers, pre-releases included. */
function ceilingAfter(given: readonly number[]): Version {
  const raised = given.map((number, index) => (index === given.length - 1 ? number + 1 : number));
  return versionOf(raised, ["0"]);
}

/** `^` lets change what follows the first number that is not zero. */
function caretCeiling(given: readonly number[]): Version {
  const significant = given.findIndex((number) => number > 0);
  return ceilingAfter(significant < 0 ? given : given.slice(0, significant + 1));
}

function versionOf(given: readonly number[], prerelease: readonly string[]): Version {
  return { numbers: [given[0] ?? 0, given[1] ?? 0, given[2] ?? 0], prerelease };
}

/** Identifiers of a pre-release; `undefined` if one is a number with a leading zero. */
function identifiersOf(text: string | undefined): readonly string[] | undefined {
  const identifiers = text?.split(".") ?? [];
  return identifiers.some((identifier) => /^0\d+$/.test(identifier)) ? undefined : identifiers;
}
