import { describe, expect, it } from "vitest";
import type { SchemaNode } from "../kinds/kind.ts";
import { withDefaults } from "./defaults.ts";
import { prune } from "./prune.ts";
import { unknownFields } from "./unknown-fields.ts";

const NODE: SchemaNode = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      properties: {
        size: { type: "integer", default: 3 },
        note: { type: "string", nullable: true, default: "n" },
        plain: { type: "string" },
        list: {
          type: "array",
          items: { type: "object", properties: { k: { type: "string" }, v: { type: "string", default: "d" } } },
        },
        map: {
          type: "object",
          additionalProperties: { type: "object", properties: { a: { type: "integer", default: 1 } } },
        },
        open: {
          type: "object",
          properties: { known: { type: "object", properties: { x: { type: "string" } } } },
          "x-kubernetes-preserve-unknown-fields": true,
        },
        embedded: { type: "object", properties: {}, "x-kubernetes-embedded-resource": true },
        nested: {
          type: "object",
          default: {},
          properties: {
            deep: {
              type: "object",
              default: { y: 1 },
              properties: { y: { type: "integer" }, z: { type: "string", default: "z" } },
            },
          },
        },
      },
    },
  },
};

describe("unknownFields and prune", () => {
  it.each([
    [{ apiVersion: "v1", kind: "A", metadata: { any: 1 } }, []],
    [{ other: 1, spec: { foo: 1, size: 1 } }, ["other", "spec.foo"]],
    [{ spec: { list: [{ k: "a", bar: 1 }, { v: "b" }, { c: [] }] } }, ["spec.list[0].bar", "spec.list[2].c"]],
    [{ spec: { map: { one: { a: 1, b: 2 }, two: {} } } }, ["spec.map.one.b"]],
    [{ spec: { open: { free: { x: 1 }, known: { x: "a", q: 1 } } } }, ["spec.open.known.q"]],
    [{ spec: { embedded: { apiVersion: "v1", kind: "B", metadata: {}, spec: {} } } }, ["spec.embedded.spec"]],
    [{ spec: "wrong" }, []],
    [{ spec: { size: { wrong: 1 } } }, []],
    [null, []],
  ])("of %j are %j", (value, fields) => {
    expect(unknownFields(value, NODE)).toEqual(fields);
    expect(unknownFields(prune(value, NODE), NODE)).toEqual([]);
  });

  it("treats names of prototypes as names", () => {
    const value: unknown = JSON.parse(
      '{"__proto__":{"polluted":1},"constructor":1,"spec":{"toString":2,"map":{"__proto__":{"a":5}}}}',
    );
    expect(unknownFields(value, NODE)).toEqual(["__proto__", "constructor", "spec.toString"]);
    const pruned = prune(value, NODE) as { spec: { map: object } };
    expect(JSON.stringify(pruned)).toBe('{"spec":{"map":{"__proto__":{"a":5}}}}');
    expect(Object.getPrototypeOf(pruned.spec.map)).toBe(Object.prototype);
    expect("polluted" in {}).toBe(false);
  });

  it("leaves its input alone", () => {
    const value = { spec: { foo: 1 } };
    expect(prune(value, NODE)).toEqual({ spec: {} });
    expect(value).toEqual({ spec: { foo: 1 } });
  });
});

describe("withDefaults", () => {
  it.each([
    [{}, {}],
    [{ spec: {} }, { spec: { size: 3, note: "n", nested: { deep: { y: 1, z: "z" } } } }],
    [
      { spec: { size: 5, note: null, nested: { deep: {} } } },
      { spec: { size: 5, note: null, nested: { deep: { z: "z" } } } },
    ],
    // null where none is allowed: the default, or nothing
    [
      { spec: { size: null, plain: null, note: "" } },
      { spec: { size: 3, note: "", nested: { deep: { y: 1, z: "z" } } } },
    ],
    [
      { spec: { size: 1, note: "", nested: {}, list: [{ k: "a" }, {}], map: { one: {}, two: null } } },
      {
        spec: {
          size: 1,
          note: "",
          nested: { deep: { y: 1, z: "z" } },
          list: [{ k: "a", v: "d" }, { v: "d" }],
          map: { one: { a: 1 } },
        },
      },
    ],
    ["scalar", "scalar"],
  ])("makes of %j %j", (value, expected) => {
    const before = JSON.stringify(value);
    expect(withDefaults(value, NODE)).toEqual(expected);
    expect(JSON.stringify(value)).toBe(before);
  });

  it("gives each object its own copy", () => {
    const node: SchemaNode = {
      type: "object",
      properties: { a: { type: "array", default: [1], items: { type: "integer" } } },
    };
    const one = withDefaults({}, node) as { a: number[] };
    one.a.push(2);
    expect(withDefaults({}, node)).toEqual({ a: [1] });
  });
});
