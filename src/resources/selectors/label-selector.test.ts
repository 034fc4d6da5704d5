import { describe, expect, it } from "vitest";
import { isLabelKey, isLabelValue, matchesLabels, parseLabelSelector } from "./label-selector.ts";

describe("parseLabelSelector", () => {
  it.each([
    ["", []],
    ["  ", []],
    ["a=b", [{ key: "a", operator: "in", values: ["b"] }]],
    ["a == b", [{ key: "a", operator: "in", values: ["b"] }]],
    ["a!=b", [{ key: "a", operator: "notin", values: ["b"] }]],
    ["a=", [{ key: "a", operator: "in", values: [""] }]],
    ["a", [{ key: "a", operator: "exists" }]],
    ["!a", [{ key: "a", operator: "!" }]],
    ["! a", [{ key: "a", operator: "!" }]],
    [
      "tier in (gold),x!=y",
      [
        { key: "tier", operator: "in", values: ["gold"] },
        { key: "x", operator: "notin", values: ["y"] },
      ],
    ],
    ["a notin ( b , c )", [{ key: "a", operator: "notin", values: ["b", "c"] }]],
    ["a in(b)", [{ key: "a", operator: "in", values: ["b"] }]],
    ["in in (in)", [{ key: "in", operator: "in", values: ["in"] }]],
    ["example.com/a_b.C=D", [{ key: "example.com/a_b.C", operator: "in", values: ["D"] }]],
    ["constructor=x", [{ key: "constructor", operator: "in", values: ["x"] }]],
  ])("reads %s", (text, expected) => {
    expect(parseLabelSelector(text)).toEqual(expected);
  });

  it.each([
    "a=b,",
    ",a",
    "a=b=c",
    "!a=b",
    "a in (b",
    "a in b)",
    "a in b",
    "a>b",
    "a>-1",
    "a>9223372036854775808",
    "-a",
    "a=-b",
    "a/b/c",
    "A.com/x",
    "a..b/c",
    "a=b c",
    "(a)",
  ])("refuses %s", (text) => {
    expect(() => parseLabelSelector(text)).toThrow(/unable to parse label selector/);
  });
});

describe("keys and values", () => {
  it("hold Kubernetes' lengths", () => {
    expect([isLabelKey("a".repeat(63)), isLabelKey("a".repeat(64))]).toEqual([true, false]);
    expect([isLabelKey(`${"a".repeat(253)}/x`), isLabelKey(`${"a".repeat(254)}/x`)]).toEqual([true, false]);
    expect([isLabelValue("a".repeat(63)), isLabelValue("a".repeat(64)), isLabelValue("")]).toEqual([true, false, true]);
  });
});

describe("matchesLabels", () => {
  const labels = { tier: "gold", empty: "" };
  it.each([
    ["tier=gold", true],
    ["tier=silver", false],
    ["tier in (silver,gold)", true],
    ["tier notin (silver)", true],
    ["tier!=gold", false],
    ["other!=gold", true],
    ["other notin (x)", true],
    ["other=", false],
    ["empty=", true],
    ["empty", true],
    ["!empty", false],
    ["!other", true],
    ["toString", false],
    ["tier,tier!=gold", false],
  ])("%s: %s", (text, expected) => {
    expect(matchesLabels(labels, parseLabelSelector(text))).toBe(expected);
  });

  it("takes no labels as none", () => {
    expect(matchesLabels(undefined, parseLabelSelector("!a,b!=c"))).toBe(true);
  });
});
