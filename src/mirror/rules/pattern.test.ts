import { describe, expect, it } from "vitest";
import { compileGlob, compilePattern, patternProblem } from "./pattern.ts";

function matches(pattern: string, text: string, anchored = false): boolean {
  const compiled = compilePattern(pattern, anchored);
  if (!compiled.ok) throw new Error(compiled.error);
  return compiled.value(text);
}

describe("compilePattern", () => {
  it.each([
    ["latest", "latest-dev", false, true],
    ["latest", "latest-dev", true, false],
    ["a|b", "b", true, true],
    ["a|b", "ab", true, false],
    [String.raw`^v1\.`, "v1.2", false, true],
    [String.raw`^v1\.`, "v12", false, false],
    ["(?i)RC", "1.0-rc1", false, true],
    ["(?i)latest", "LATEST", true, true],
  ])("%j against %j, anchored %s: %s", (pattern, text, anchored, expected) => {
    expect(matches(pattern, text, anchored)).toBe(expected);
  });

  it("takes time that is linear in the text", () => {
    expect(matches("^(a+)+$", `${"a".repeat(5000)}b`)).toBe(false);
  });

  it.each(["(", "[a", "a{2,1}", "(?=a)", String.raw`(a)\1`, "*a", "((a{1000}){1000}){1000}"])(
    "refuses %j",
    (pattern) => {
      expect(patternProblem(pattern)).toMatch(/^is not a regular expression: ./);
    },
  );

  it("does not take a closing parenthesis for the one it adds", () => {
    expect(compilePattern("a)|(?:b", true).ok).toBe(false);
  });

  it("refuses what is too long", () => {
    expect(patternProblem("a".repeat(501))).toContain("500 characters");
  });
});

describe("compileGlob", () => {
  it.each([
    ["nginx", "nginx", true],
    ["redis*", "redis", true],
    ["redis*", "redis-stack", true],
    ["redis*", "redis/stack", false],
    ["*", "a/b", false],
    ["**", "a/b/c", true],
    ["team/**", "team/a/b", true],
    ["team/**", "team", false],
    ["team/**", "teams/a", false],
    ["**/nginx", "nginx", true],
    ["**/nginx", "a/b/nginx", true],
    ["**/nginx", "a/my-nginx", false],
    ["a/**/z", "a/z", true],
    ["a/**/z", "a/b/c/z", true],
    ["a?c", "abc", true],
    ["a?c", "a/c", false],
    ["a.c", "abc", false],
  ])("%j against %j: %s", (glob, name, expected) => {
    expect(compileGlob(glob)(name)).toBe(expected);
  });
});
