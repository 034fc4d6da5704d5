import { parseDuration } from "./duration.ts";
import type { NewestRule, TagRule } from "./mirror-rules.ts";
import { compareDigits, compareNatural, compareText, isDigits } from "./natural-order.ts";
import { compilePattern, type Matcher } from "./pattern.ts";
import { parseRange } from "./semver.ts";

/** A tag and when its image was created, in milliseconds since the epoch, if that is known. */
export interface DatedTag {
  readonly tag: string;
  readonly created?: number | undefined;
}

/**
 * Tags by which a registry without the referrers API, or cosign, notes what belongs to an image. They go with the image
 * (`artifacts.digestTags`) and are never selected by themselves.
 */
export function isDigestTag(tag: string): boolean {
  return /^(?:sha256-[0-9a-f]{64}|sha512-[0-9a-f]{128})(?:\.[\w.-]+)?$/.test(tag);
}

/**
 * The tags that the patterns and the range of a rule select, in their order: those that no pattern excludes, that one
 * includes if there is one, and that are versions within the range if there is one.
 * @throws {Error} if a pattern or the range cannot be read; the schema of the rule has made sure of both
 */
export function selectTags(tags: readonly string[], rule: TagRule): readonly string[] {
  const include = rule.include.map((pattern) => matcherOf(pattern, rule.anchored));
  const exclude = rule.exclude.map((pattern) => matcherOf(pattern, rule.anchored));
  const isVersion = rule.semver === undefined ? () => true : inRange(rule.semver);
  return tags.filter(
    (tag) =>
      !isDigestTag(tag) &&
      !exclude.some((matches) => matches(tag)) &&
      (include.length === 0 || include.some((matches) => matches(tag))) &&
      isVersion(tag),
  );
}

function matcherOf(pattern: string, anchored: boolean): Matcher {
  const compiled = compilePattern(pattern, anchored);
  if (!compiled.ok) throw new Error(`pattern ${pattern} ${compiled.error}`);
  return compiled.value;
}

function inRange(text: string): Matcher {
  const range = parseRange(text);
  if (!range.ok) throw new Error(`range ${text} ${range.error}`);
  return range.value;
}

/** Whether a rule depends on when images were created, which costs a request for each tag. */
export function needsCreated(rule: TagRule): boolean {
  return rule.minimumAge !== undefined || rule.newest?.by === "created";
}

/** What the age and the number of a rule leave of the tags that `selectTags` gave, `now` in milliseconds. */
export function narrowTags(tags: readonly DatedTag[], rule: TagRule, now: number): readonly string[] {
  const aged = tags.filter(({ created }) => isOldEnough(created, rule, now));
  return rule.newest === undefined ? aged.map(({ tag }) => tag) : newestTags(aged, rule.newest);
}

/** Whether an image is as old as a rule wants it. One of unknown age is not, if the rule wants any. */
export function isOldEnough(created: number | undefined, rule: TagRule, now: number): boolean {
  if (rule.minimumAge === undefined) return true;
  return created !== undefined && now - created >= (parseDuration(rule.minimumAge) ?? 0);
}

/**
 * The newest tags, newest first. By version: as `compareTagVersions` orders them. By created: the latest first, those of
 * unknown age last, then by version. By name: by code units. What is equal otherwise is ordered by name.
 */
export function newestTags(tags: readonly DatedTag[], newest: NewestRule): readonly string[] {
  const orders: Record<NewestRule["by"], (a: DatedTag, b: DatedTag) => number> = {
    version: (a, b) => compareTagVersions(a.tag, b.tag),
    created: (a, b) => compareCreated(a.created, b.created) || compareTagVersions(a.tag, b.tag),
    name: (a, b) => compareText(a.tag, b.tag),
  };
  const order = orders[newest.by];
  return [...tags]
    .sort((a, b) => order(b, a))
    .slice(0, newest.count)
    .map(({ tag }) => tag);
}

function compareCreated(a: number | undefined, b: number | undefined): number {
  if (a === b) return 0;
  return (a ?? Number.NEGATIVE_INFINITY) < (b ?? Number.NEGATIVE_INFINITY) ? -1 : 1;
}

/**
 * The order of tags by version, total, zero only for equal tags:
 * - A version is numbers joined by dots, a `v` before them or not, and what follows a first `-`: `1.9`, `v1.10.0-rc.1`.
 *   All other tags (`latest`) come below all versions, and are ordered with their runs of digits taken as numbers.
 * - Versions are ordered by their numbers, a missing one being 0: `1.9` < `1.10.0`.
 * - With the same numbers, one with something after `-` comes below the one without; two are compared part by part
 *   between dots: numbers as such and below texts, texts with their runs of digits taken as numbers (`rc9` < `rc10`, where
 *   semver has it the other way round), and fewer parts below more.
 * - What then is still equal (`1.2`, `v1.2.0`) is ordered by the texts.
 */
export function compareTagVersions(a: string, b: string): number {
  const [x, y] = [looseVersion(a), looseVersion(b)];
  if (x === undefined || y === undefined) {
    if (x !== undefined) return 1;
    return y === undefined ? compareNatural(a, b) : -1;
  }
  for (let index = 0; index < Math.max(x.numbers.length, y.numbers.length); index += 1) {
    const order = compareDigits(x.numbers[index] ?? "0", y.numbers[index] ?? "0");
    if (order !== 0) return order;
  }
  return compareSuffixes(x.suffix, y.suffix) || compareNatural(a, b);
}

interface LooseVersion {
  readonly numbers: readonly string[];
  readonly suffix: readonly string[];
}

function looseVersion(tag: string): LooseVersion | undefined {
  const match = /^v?(\d+(?:\.\d+)*)(?:-(.*))?$/.exec(tag);
  if (match === null) return undefined;
  return { numbers: (match[1] ?? "").split("."), suffix: match[2] === undefined ? [] : match[2].split(".") };
}

function compareSuffixes(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return b.length - a.length;
  for (const [index, left] of a.entries()) {
    const right = b[index];
    if (right === undefined) return 1;
    const order = isDigits(left) === isDigits(right) ? compareNatural(left, right) : isDigits(left) ? -1 : 1;
    if (order !== 0) return order;
  }
  return a.length - b.length;
}
