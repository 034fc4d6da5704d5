import { describe, expect, it } from "vitest";
import { StatusError } from "../status-error.ts";
import { applyJsonPatch } from "./json-patch.ts";

const object = { metadata: { labels: { "a/b": "x" } }, spec: { list: [1, 2], text: "t" } };

function reasonOf(patch: unknown): string {
  try {
    applyJsonPatch(object, patch);
    return "none";
  } catch (error) {
    return error instanceof StatusError ? error.reason : String(error);
  }
}

describe("applyJsonPatch", () => {
  it("applies every operation, and leaves its arguments alone", () => {
    const before = structuredClone(object);
    const patch = [
      { op: "test", path: "/spec/text", value: "t" },
      { op: "add", path: "/spec/list/-", value: 3 },
      { op: "add", path: "/spec/list/0", value: 0 },
      { op: "replace", path: "/metadata/labels/a~1b", value: "y" },
      { op: "copy", from: "/spec/list", path: "/spec/copy" },
      { op: "remove", path: "/spec/copy/0" },
      { op: "move", from: "/spec/text", path: "/spec/moved" },
    ];
    expect(applyJsonPatch(object, patch)).toEqual({
      metadata: { labels: { "a/b": "y" } },
      spec: { list: [0, 1, 2, 3], copy: [1, 2, 3], moved: "t" },
    });
    expect(object).toEqual(before);
  });

  it.each([
    [{}],
    ["x"],
    [[1]],
    [[{ op: "nope", path: "/a" }]],
    [[{ op: "_get", path: "/spec" }]],
    [[{ op: "add", path: "a", value: 1 }]],
    [[{ op: "add", path: "/a" }]],
    [[{ op: "move", path: "/a" }]],
    [[{ op: "add", path: "/__proto__/x", value: 1 }]],
    [[{ op: "add", path: "/spec/constructor", value: 1 }]],
    [[{ op: "copy", from: "/prototype", path: "/a" }]],
    [[{ op: "add", path: "/a", value: { b: [JSON.parse('{"__proto__": 1}')] } }]],
  ])("refuses what is no patch: %j", (patch) => expect(reasonOf(patch)).toBe("BadRequest"));

  it.each([
    [[{ op: "test", path: "/spec/text", value: "other" }]],
    [[{ op: "test", path: "/spec/none", value: null }]],
    [[{ op: "remove", path: "/spec/none" }]],
    [[{ op: "replace", path: "/spec/none", value: 1 }]],
    [[{ op: "add", path: "/none/deep", value: 1 }]],
    [[{ op: "add", path: "/spec/text/x", value: 1 }]],
    [[{ op: "add", path: "/spec/list/9", value: 1 }]],
    [[{ op: "add", path: "/spec/list/x", value: 1 }]],
    [[{ op: "remove", path: "/spec/list/-" }]],
    [[{ op: "copy", from: "/toString", path: "/spec/x" }]],
    [[{ op: "copy", from: "/spec/list/length", path: "/spec/x" }]],
    [[{ op: "move", from: "/spec", path: "/spec/list/0" }]],
  ])("refuses what does not fit: %j", (patch) => expect(reasonOf(patch)).toBe("Invalid"));

  it("bounds operations, copies and nesting", () => {
    const test = { op: "test", path: "/spec/text", value: "t" };
    expect(reasonOf(Array.from({ length: 10_000 }, () => test))).toBe("none");
    expect(reasonOf(Array.from({ length: 10_001 }, () => test))).toBe("RequestEntityTooLarge");
    const double = Array.from({ length: 40 }, (_, index) => ({ op: "copy", from: "/spec", path: `/spec/x${index}` }));
    expect(reasonOf(double)).toBe("RequestEntityTooLarge");
    const deep = Array.from({ length: 120 }, (_, index) => ({ op: "add", path: "/a".repeat(index + 1), value: {} }));
    expect(reasonOf(deep)).toBe("BadRequest");
  });
});
