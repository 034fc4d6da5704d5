import { describe, expect, it } from "vitest";
import { parseRange, rangeProblem } from "./semver.ts";

function isIn(tag: string, text: string): boolean {
  const range = parseRange(text);
  if (!range.ok) throw new Error(range.error);
  return range.value(tag);
}

describe("a version", () => {
  it.each(["1.2.3", "v1.2.3", "0.0.0", "1.2.3-rc.1", "1.2.3-alpine3.19", "1.2.3+build", "1.2.3-0a"])("is %j", (tag) => {
    expect(isIn(tag, `>=0.0.0 || ${tag}`)).toBe(true);
  });

  it.each([
    "",
    "1",
    "1.2",
    "latest",
    "01.2.3",
    "1.2.3.4",
    "V1.2.3",
    "vv1.2.3",
    "1.2.3-",
    "1.2.3-01",
    "1.2.3_1",
    "1.2.x",
    "99999999999999999999.0.0",
  ])("is not %j", (tag) => {
    expect(isIn(tag, "*")).toBe(false);
  });

  it("is ordered as the specification's example has it", () => {
    const ordered = ["alpha", "alpha.1", "alpha.beta", "beta", "beta.2", "beta.11", "rc.1"].map((p) => `1.0.0-${p}`);
    for (const [index, tag] of ordered.entries()) {
      expect(ordered.filter((other) => isIn(other, `<${tag}`))).toEqual(ordered.slice(0, index));
    }
    const numbers = ["1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0"];
    for (const [index, tag] of numbers.entries()) {
      expect(numbers.filter((other) => isIn(other, `<${tag}`))).toEqual(numbers.slice(0, index));
    }
  });
});

describe("a range", () => {
  it.each<[range: string, within: readonly string[], outside: readonly string[]]>([
    [">=1.2.0 <3", ["1.2.0", "v1.2.0", "2.9.9"], ["1.1.9", "3.0.0", "3.0.0-rc.1", "2.0.0-rc.1"]],
    [">=1.2.0,<3", ["2.0.0"], ["3.0.0"]],
    [">= 1.2.0, < 3", ["2.0.0"], ["3.0.0"]],
    ["1.2.3 || ^2.1", ["1.2.3", "2.1.0", "2.9.0"], ["1.2.4", "2.0.9", "3.0.0"]],
    ["=v1.2.3", ["1.2.3", "1.2.3+build"], ["1.2.4"]],
    ["1.2", ["1.2.0", "1.2.9"], ["1.3.0", "1.1.9"]],
    ["1.2.x", ["1.2.0", "1.2.9"], ["1.3.0"]],
    ["1.X", ["1.0.0", "1.9.0"], ["2.0.0"]],
    ["*", ["0.0.0", "9.9.9"], ["1.0.0-rc"]],
    ["", ["1.0.0"], ["1.0.0-rc"]],
    ["^1.2.3", ["1.2.3", "1.9.0"], ["1.2.2", "2.0.0", "2.0.0-alpha"]],
    ["^0.2.3", ["0.2.3", "0.2.9"], ["0.3.0", "0.2.2"]],
    ["^0.0.3", ["0.0.3"], ["0.0.4"]],
    ["^0.0", ["0.0.0", "0.0.9"], ["0.1.0"]],
    ["^0", ["0.9.9"], ["1.0.0"]],
    ["^1.x", ["1.0.0", "1.9.9"], ["2.0.0"]],
    ["~1.2.3", ["1.2.3", "1.2.9"], ["1.3.0", "1.2.2"]],
    ["~1.2", ["1.2.0", "1.2.9"], ["1.3.0"]],
    ["~1", ["1.0.0", "1.9.9"], ["2.0.0"]],
    ["~> 1.2", ["1.2.5"], ["1.3.0"]],
    ["1.2 - 2.3", ["1.2.0", "2.3.9"], ["2.4.0", "1.1.9"]],
    ["1.2.3 - 2", ["1.2.3", "2.9.9"], ["3.0.0", "1.2.2"]],
    [">1.2", ["1.3.0"], ["1.2.9"]],
    [">1", ["2.0.0"], ["1.9.9"]],
    ["<=1.2", ["1.2.9"], ["1.3.0"]],
    ["<1.2", ["1.1.9"], ["1.2.0", "1.2.0-rc.1"]],
    [">1.2.3", ["1.2.4"], ["1.2.3"]],
    ["<=1.2.3", ["1.2.3"], ["1.2.4"]],
    ["<*", [], ["0.0.0", "1.0.0"]],
    [">=*", ["0.0.0"], []],
    [">=1.2.3-rc.2", ["1.2.3-rc.2", "1.2.3-rc.10", "1.2.3", "1.3.0"], ["1.2.3-rc.1", "1.3.0-rc.1"]],
    ["^1.2.3-beta.2", ["1.2.3-beta.4", "1.9.0"], ["1.2.4-beta.2", "1.2.3-beta.1", "2.0.0-alpha"]],
    ["* || 2.0.0-rc.1", ["1.0.0", "2.0.0-rc.1"], ["2.0.0-rc.2"]],
    ["^1.0.0 || 2.0.0-rc.1", ["2.0.0-rc.1"], ["2.0.0-rc.2", "2.0.0"]],
    [">=1", [], ["latest", "1", "1.2", "2024.01.05", "1.2.3-alpine"]],
  ])("%j", (range, within, outside) => {
    for (const tag of within) expect([tag, isIn(tag, range)]).toEqual([tag, true]);
    for (const tag of outside) expect([tag, isIn(tag, range)]).toEqual([tag, false]);
  });

  it.each([
    "latest",
    ">",
    ">=1.2.3.4",
    "1.2.3 -",
    "1.2-rc",
    "=>1",
    ">>1",
    "!1",
    "1.2.3-01",
    "^",
    "1 - 2 - 3",
    "a || 1",
  ])("refuses %j", (range) => {
    expect(rangeProblem(range)).toContain("no comparison with a version");
  });

  it.each([
    [">=1.2, <= 3.4.5.6 || 2", "<=3.4.5.6"],
    ["1 || >=2 latest", "latest"],
    ["1 - 2 - 3", "-"],
  ])("says what of %j is wrong", (range, term) => {
    expect(rangeProblem(range)).toBe(`has ${JSON.stringify(term)}, which is no comparison with a version`);
  });
});
