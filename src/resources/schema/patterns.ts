import { RE2JS } from "re2js";

/** More than any deployment's kinds have; a definition under edit must not make it grow without bound. */
const CACHED_PATTERNS = 500;
const MAX_PATTERN_LENGTH = 2000;

const compiled = new Map<string, RE2JS | undefined>();

/**
 * A compiled pattern, or `undefined` if RE2 cannot take it. RE2 because its time is linear in the text: a pattern from
 * a definition at run time must not be able to stop the isolate.
 * @see https://github.com/google/re2/wiki/Syntax
 */
export function compilePattern(pattern: string): RE2JS | undefined {
  if (compiled.has(pattern)) return compiled.get(pattern);
  const result = compileOnce(pattern);
  if (compiled.size >= CACHED_PATTERNS) compiled.clear();
  compiled.set(pattern, result);
  return result;
}

/** @throws {Error} if RE2 cannot take the pattern */
export function requirePattern(pattern: string): RE2JS {
  const found = compilePattern(pattern);
  if (found === undefined) throw new Error(`invalid regular expression: ${pattern.slice(0, 200)}`);
  return found;
}

function compileOnce(pattern: string): RE2JS | undefined {
  if (pattern.length > MAX_PATTERN_LENGTH) return undefined;
  try {
    return RE2JS.compile(pattern);
  } catch {
    return undefined;
  }
}

/** Whether a pattern is found anywhere in a text. One that cannot be compiled matches nothing. */
export function matchesPattern(pattern: string, text: string): boolean {
  return compilePattern(pattern)?.test(text) ?? false;
}
