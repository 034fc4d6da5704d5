import { describe, expect, it } from "vitest";
import { coversGlob, matchesAll, matchesGlob, matchesSomeWithPrefix } from "./glob.ts";

describe("a pattern", () => {
  it.each([
    ["app", "app", true],
    ["app", "apps", false],
    ["", "", true],
    ["", "a", false],
    ["*", "", true],
    ["*", "team-a/app", true],
    ["**", "anything", true],
    ["team-a/*", "team-a/app", true],
    ["team-a/*", "team-a/sub/app", true],
    ["team-a/*", "team-a/", true],
    ["team-a/*", "team-a", false],
    ["team-a/*", "team-ab/app", false],
    ["*/app", "team-a/app", true],
    ["*/app", "app", false],
    ["a*a", "a", false],
    ["a*a", "aa", true],
    ["a*b*c", "a-b-c", true],
    ["a*b*c", "acb", false],
    ["a*b*c", "abcb", false],
    ["ab*ba", "aba", false],
    ["*ab*", "xaby", true],
    // Nothing else than a star is special.
    ["a.c", "abc", false],
    ["a?c", "abc", false],
    ["[a]", "a", false],
    ["a\\*", "a*", false],
  ])("%j and %j: %s", (pattern, text, expected) => {
    expect(matchesGlob(pattern, text)).toBe(expected);
  });

  it.each([
    ["many stars", "*a".repeat(5000), "a".repeat(10_000)],
    ["many stars and another end", `${"*a".repeat(5000)}b`, "a".repeat(10_000)],
    ["parts that nearly match", `*${"a".repeat(500)}b*`.repeat(20), "a".repeat(20_000)],
  ])("of %s does not take long", (_, pattern, text) => {
    const start = performance.now();
    matchesGlob(pattern, text);
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  it.each([
    ["*", true],
    ["***", true],
    ["", false],
    ["a*", false],
  ])("%j is for all: %s", (pattern, expected) => {
    expect(matchesAll(pattern)).toBe(expected);
  });

  it.each([
    ["team-a/*", "team-a/app", true],
    ["team-a/*", "team-a/x*", true],
    ["team-a/*", "team-*", false],
    ["team-a/app", "team-a/*", false],
    ["*", "*", true],
    ["a*c", "a*b*c", true],
    ["a*b*c", "a*c", false],
  ])("%j covers %j: %s", (held, wanted, expected) => {
    expect(coversGlob(held, wanted)).toBe(expected);
  });

  it.each([
    ["team-a/x", "team-a/", true],
    ["app", "team-a/", false],
    ["te*", "team-a/", true],
    ["team-a/*", "team-a/", true],
    ["team-b*", "team-a/", false],
    ["*", "team-a/", true],
  ])("%j may begin with %j: %s", (pattern, prefix, expected) => {
    expect(matchesSomeWithPrefix(pattern, prefix)).toBe(expected);
  });
});
