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

/** An object in an object, and so on. */
function chain(depth: number): object {
  return depth === 0 ? {} : { a: chain(depth - 1) };
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
    [[{ op: "move", from: "", path: "/spec/list/0" }]],
    [[{ op: "remove", path: "" }]],
    [[{ op: "replace", path: "/spec/list/-", value: 1 }]],
    [[{ op: "add", path: "/spec/list/00", value: 1 }]],
    [[{ op: "add", path: "/spec/list/1e0", value: 1 }]],
    [[{ op: "replace", path: "/spec/list/length", value: 0 }]],
    [[{ op: "test", path: "/spec/list", value: { 0: 1, 1: 2 } }]],
    [[{ op: "test", path: "/spec/text", value: ["t"] }]],
  ])("refuses what does not fit: %j", (patch) => expect(reasonOf(patch)).toBe("Invalid"));

  // Cases of https://github.com/json-patch/json-patch-tests, and of RFC 6902, appendix A.
  it.each<[unknown, object, unknown]>([
    [{ a: 1 }, { op: "add", path: "", value: [1] }, [1]],
    [{ a: 1 }, { op: "replace", path: "", value: "x" }, "x"],
    [{ a: { b: 1 } }, { op: "move", from: "/a", path: "" }, { b: 1 }],
    [{ a: { b: 1 } }, { op: "copy", from: "/a", path: "" }, { b: 1 }],
    [{ a: 1 }, { op: "copy", from: "", path: "/a" }, { a: { a: 1 } }],
    [{ a: 1 }, { op: "move", from: "", path: "" }, { a: 1 }],
    [{ "": 1 }, { op: "replace", path: "/", value: 2 }, { "": 2 }],
    [{ "a~1b": 1, "a/b": 2 }, { op: "remove", path: "/a~01b" }, { "a/b": 2 }],
    [{ 0: "x" }, { op: "replace", path: "/0", value: "y" }, { 0: "y" }],
    [{ a: 1 }, { op: "add", path: "/-", value: 2 }, { a: 1, "-": 2 }],
    [{ a: 1 }, { op: "add", path: "/a", value: null }, { a: null }],
    [{ a: null }, { op: "test", path: "/a", value: null }, { a: null }],
    [{ a: null }, { op: "remove", path: "/a" }, {}],
    [{ a: { x: 1, y: [2] } }, { op: "test", path: "/a", value: { y: [2], x: 1 } }, { a: { x: 1, y: [2] } }],
    [["a", "b", "c"], { op: "move", from: "/0", path: "/2" }, ["b", "c", "a"]],
    [["a", "b", "c"], { op: "move", from: "/2", path: "/0" }, ["c", "a", "b"]],
    [["a", "b"], { op: "add", path: "/2", value: "c" }, ["a", "b", "c"]],
    [["a", "b"], { op: "add", path: "/1", value: ["c", "d"] }, ["a", ["c", "d"], "b"]],
    [[1, [2]], { op: "replace", path: "/1/0", value: { c: 3 } }, [1, [{ c: 3 }]]],
  ])("of %j: %j makes %j", (before, operation, after) => {
    expect(applyJsonPatch(before, [operation])).toEqual(after);
  });

  it("gives each copy a value of its own", () => {
    const patch = [
      { op: "add", path: "/a", value: { b: [] } },
      { op: "copy", from: "/a", path: "/c" },
      { op: "add", path: "/a/b/-", value: 1 },
    ];
    expect(applyJsonPatch({}, patch)).toEqual({ a: { b: [1] }, c: { b: [] } });
    expect(patch[0]).toEqual({ op: "add", path: "/a", value: { b: [] } });
  });

  it("does not walk into what moves have made too deep", () => {
    const levels = Array.from({ length: 100 }, (_, index) => ({ op: "add", path: `/n${index}`, value: chain(90) }));
    // Each chain takes all before it to its end.
    const moves = levels.slice(1).map((_, at) => {
      return { op: "move", from: `/n${at}`, path: `/n${at + 1}${"/a".repeat(90)}` };
    });
    for (const last of [[], [{ op: "copy", from: "/n99", path: "/x" }], [{ op: "test", path: "/n99", value: 1 }]]) {
      expect(reasonOf([...levels, ...moves, ...last])).toBe("BadRequest");
    }
  });

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
