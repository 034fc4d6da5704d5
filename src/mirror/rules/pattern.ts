import { RE2JS } from "re2js";
import { err, ok, type Result } from "../../platform/index.ts";

export const MAX_PATTERN_LENGTH = 500;

/** Whether a text has what a pattern describes. */
export type Matcher = (text: string) => boolean;

/**
 * A regular expression in the syntax of RE2, found anywhere in a text, or matching all of it if `anchored`. RE2 because
 * its time is linear in the text: no pattern can stop the process. The error is what RE2 says.
 * @see https://github.com/google/re2/wiki/Syntax
 */
export function compilePattern(pattern: string, anchored = false): Result<Matcher, string> {
  if (pattern.length > MAX_PATTERN_LENGTH) return err(`must be at most ${MAX_PATTERN_LENGTH} characters`);
  try {
    // Compiled as it is written first, so that the message is about that.
    const plain = RE2JS.compile(pattern);
    const compiled = anchored ? RE2JS.compile(`^(?:${pattern})$`) : plain;
    return ok((text) => compiled.test(text));
  } catch (error) {
    return err(`is not a regular expression: ${error instanceof Error ? error.message : "RE2 cannot compile it"}`);
  }
}

/** What is wrong with a pattern, if anything. */
export function patternProblem(pattern: string): string | undefined {
  const compiled = compilePattern(pattern);
  return compiled.ok ? undefined : compiled.error;
}

/**
 * A glob over names with components: `*` is any text within a component, `**` any across components (`a/**` all below
 * `a`, `**` + `/a` also `a` itself), `?` one character.
 */
export function compileGlob(glob: string): Matcher {
  const expression = glob.replaceAll(/\*\*\/|\*\*|\*|\?|[^*?]+/g, (part) => {
    if (part === "**/") return "(?:[^/]+/)*";
    if (part === "**") return ".*";
    if (part === "*") return "[^/]*";
    return part === "?" ? "[^/]" : RE2JS.quote(part);
  });
  const compiled = RE2JS.compile(`^(?:${expression})$`);
  return (text) => compiled.test(text);
}

/** Whether a text has characters that make it a glob. */
export function isGlob(text: string): boolean {
  return /[*?]/.test(text);
}
