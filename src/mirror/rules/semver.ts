import Range from "semver/classes/range.js";
import parseVersion from "semver/functions/parse.js";
import { err, ok, type Result } from "../../platform/index.ts";

/** Whether a tag is a semantic version, with a leading `v` or without, within a range. */
export type VersionMatcher = (tag: string) => boolean;

/**
 * A range as npm writes them; commas may separate comparisons as well as spaces do. A pre-release is only within it if a
 * comparison names one of the same three numbers.
 * @see https://github.com/npm/node-semver#ranges
 */
export function parseRange(text: string): Result<VersionMatcher, string> {
  const alternatives: Range[] = [];
  // One by one: as one range, `*` would swallow a pre-release that another alternative names.
  for (const alternative of text.replaceAll(",", " ").split("||")) {
    const range = rangeOf(alternative);
    if (range === undefined) {
      return err(`has ${JSON.stringify(wrongTerm(alternative))}, which is no comparison with a version`);
    }
    alternatives.push(range);
  }
  return ok((tag) => {
    const version = parseVersion(tag);
    return version !== null && alternatives.some((range) => range.test(version));
  });
}

/** What is wrong with a range, if anything. */
export function rangeProblem(text: string): string | undefined {
  const parsed = parseRange(text);
  return parsed.ok ? undefined : parsed.error;
}

function rangeOf(text: string): Range | undefined {
  try {
    return new Range(text);
  } catch {
    return undefined;
  }
}

/** The first comparison that is none by itself: the library only says that the range is none. */
function wrongTerm(alternative: string): string {
  const terms = alternative.trim().replaceAll(/([<>=^~])\s+(?=[^\s<>=^~])/g, "$1");
  return terms.split(/\s+/).find((term) => rangeOf(term) === undefined) ?? terms;
}
