import { describe, expect, it } from "vitest";
import { matchesFields, parseFieldSelector } from "./field-selector.ts";

const SELECTABLE = [".spec.source", ".spec.count", ".spec.on"];

describe("parseFieldSelector", () => {
  it.each([
    ["", []],
    ["metadata.name=a1", [{ path: "metadata.name", operator: "=", value: "a1" }]],
    ["metadata.name==a1,", [{ path: "metadata.name", operator: "=", value: "a1" }]],
    [
      "metadata.namespace!=x , spec.source=",
      [
        { path: "metadata.namespace", operator: "!=", value: "x " },
        { path: "spec.source", operator: "=", value: "" },
      ],
    ],
    [String.raw`spec.source=a\,b\=c\\d`, [{ path: "spec.source", operator: "=", value: String.raw`a,b=c\d` }]],
    [
      String.raw`spec.source=a\\,spec.count=1`,
      [
        { path: "spec.source", operator: "=", value: "a\\" },
        { path: "spec.count", operator: "=", value: "1" },
      ],
    ],
  ])("reads %s", (text, expected) => {
    expect(parseFieldSelector(text, SELECTABLE)).toEqual(expected);
  });

  it.each([
    "metadata.name",
    "=a",
    "spec.source=a=b",
    String.raw`spec.source=a\b`,
    "spec.source=a\\",
    "!metadata.name=a",
  ])("refuses %s", (text) => {
    expect(() => parseFieldSelector(text, SELECTABLE)).toThrow(/unable to parse field selector/);
  });

  it("refuses fields that are not selectable", () => {
    expect(() => parseFieldSelector("spec.other=a", SELECTABLE)).toThrow("field label not supported: spec.other");
  });
});

describe("matchesFields", () => {
  const object = { metadata: { name: "a1" }, spec: { source: "x,y", count: 3, on: false } };
  it.each([
    ["metadata.name=a1", true],
    ["metadata.name!=a1", false],
    ["metadata.namespace=", true],
    ["metadata.namespace!=x", true],
    [String.raw`spec.source=x\,y`, true],
    ["spec.count=3,spec.on=false", true],
    ["spec.count=3.0", false],
  ])("%s: %s", (text, expected) => {
    expect(matchesFields(object, parseFieldSelector(text, SELECTABLE))).toBe(expected);
  });
});
