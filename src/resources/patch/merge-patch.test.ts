import { describe, expect, it } from "vitest";
import { applyMergePatch, applyStrategicMergePatch } from "./merge-patch.ts";

describe("applyMergePatch", () => {
  // RFC 7386, appendix A.
  it.each([
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [
      ["a", "b"],
      ["c", "d"],
      ["c", "d"],
    ],
    [{ a: "b" }, ["c"], ["c"]],
    [{ a: "foo" }, null, null],
    [{ a: "foo" }, "bar", "bar"],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: "b", c: null }, { a: "b" }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])("%j with %j is %j", (target, patch, result) => {
    expect(applyMergePatch(target, patch)).toEqual(result);
  });

  it("keeps prototypes out", () => {
    const patch: unknown = JSON.parse('{"a":{"__proto__":{"x":1}}}');
    expect(() => applyMergePatch({}, patch)).toThrow(/not allowed/);
    expect(applyMergePatch({}, { toString: { a: 1 } })).toEqual({ toString: { a: 1 } });
  });
});

describe("applyStrategicMergePatch", () => {
  it("is a merge patch", () => {
    expect(applyStrategicMergePatch({ a: [1], b: 2 }, { a: [2], b: null })).toEqual({ a: [2] });
  });
  it.each([{ $patch: "delete" }, { spec: [{ "$setElementOrder/list": [] }] }, { a: { $retainKeys: ["x"] } }])(
    "refuses directives: %j",
    (patch) => expect(() => applyStrategicMergePatch({}, patch)).toThrow(/is not understood/),
  );
});
