import { describe, expect, it } from "vitest";
import type { SchemaNode } from "../kinds/kind.ts";
import type { FieldsV1 } from "../objects/object.ts";
import {
  difference,
  equalSets,
  type FieldSet,
  intersection,
  parseFieldSet,
  pathTexts,
  union,
  writeFieldSet,
} from "./field-set.ts";
import { checkItems, extractFields, fieldSetOf, removeFields } from "./typed-value.ts";

const node: SchemaNode = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      properties: {
        parallel: { type: "integer" },
        tags: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } },
        ports: {
          type: "array",
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["port", "protocol"],
          items: {
            type: "object",
            properties: {
              port: { type: "integer" },
              protocol: { type: "string", default: "TCP" },
              note: { type: "string" },
            },
          },
        },
        args: { type: "array", items: { type: "string" } },
        whole: { type: "object", "x-kubernetes-map-type": "atomic", properties: { a: { type: "string" } } },
        free: { type: "object", additionalProperties: { type: "object", properties: { x: { type: "string" } } } },
      },
    },
  },
};
const value = {
  spec: {
    parallel: 2,
    tags: ["a", "b"],
    ports: [
      { port: 80, note: "n" },
      { port: 53, protocol: "UDP" },
    ],
    args: ["x", "y"],
    whole: { a: "b" },
    free: { k: { x: "1" } },
    unknown: { deep: { er: 1 } },
  },
};
const set = {
  "f:spec": {
    "f:args": {},
    "f:free": { "f:k": { ".": {}, "f:x": {} } },
    "f:parallel": {},
    "f:ports": {
      'k:{"port":53,"protocol":"UDP"}': { ".": {}, "f:port": {}, "f:protocol": {} },
      'k:{"port":80,"protocol":"TCP"}': { ".": {}, "f:note": {}, "f:port": {} },
    },
    "f:tags": { 'v:"a"': {}, 'v:"b"': {} },
    "f:unknown": { ".": {}, "f:deep": { ".": {}, "f:er": {} } },
    "f:whole": {},
  },
};

function read(fields: FieldsV1): FieldSet {
  const parsed = parseFieldSet(fields);
  if (parsed === undefined) throw new Error("no set");
  return parsed;
}

describe("fieldSetOf", () => {
  it("divides a value as its schema says", () => {
    expect(writeFieldSet(fieldSetOf(value, node))).toEqual(set);
  });

  it("takes what cannot be told apart as a whole, and says so where it matters", () => {
    const twice = { spec: { ports: [{ port: 80 }, { port: 80, protocol: "TCP" }] } };
    expect(writeFieldSet(fieldSetOf(twice, node))).toEqual({ "f:spec": { "f:ports": {} } });
    expect(() => checkItems(twice, node)).toThrow(/\.spec\.ports: item 1 is there twice/);
    expect(() => checkItems({ spec: { ports: [{ note: "x" }] } }, node)).toThrow(/item 0 lacks a key/);
    expect(() => checkItems({ spec: { tags: ["a", "a"] } }, node)).toThrow(/there twice/);
    expect(() => checkItems(value, node)).not.toThrow();
  });

  it("owns empty maps and nulls, but no empty list that is merged", () => {
    expect(writeFieldSet(fieldSetOf({ spec: { free: {}, parallel: null, tags: [], args: [] } }, node))).toEqual({
      "f:spec": { "f:free": {}, "f:parallel": {}, "f:args": {} },
    });
  });
});

describe("removeFields and extractFields", () => {
  const some = {
    "f:spec": {
      "f:tags": { 'v:"a"': {} },
      "f:ports": { 'k:{"port":80,"protocol":"TCP"}': { "f:note": {} } },
      "f:args": {},
    },
  };
  it("take away", () => {
    expect(removeFields(value, read(some), node)).toEqual({
      spec: { ...value.spec, tags: ["b"], ports: [{ port: 80 }, { port: 53, protocol: "UDP" }], args: undefined },
    });
  });
  it("take out", () => {
    expect(extractFields(value, read(some), node)).toEqual({
      spec: { tags: ["a"], ports: [{ note: "n" }], args: ["x", "y"] },
    });
    expect(extractFields(value, read(set), node)).toEqual(value);
  });
});

describe("sets", () => {
  const left = read({ "f:a": { ".": {}, "f:b": {} }, "f:c": {} });
  const right = read({ "f:a": { "f:b": {}, "f:d": {} } });
  it("are united, taken away and intersected path by path", () => {
    expect(writeFieldSet(union(left, right))).toEqual({ "f:a": { ".": {}, "f:b": {}, "f:d": {} }, "f:c": {} });
    expect(writeFieldSet(difference(left, right))).toEqual({ "f:a": {}, "f:c": {} });
    expect(writeFieldSet(difference(right, left))).toEqual({ "f:a": { "f:d": {} } });
    expect(writeFieldSet(difference(left, left))).toEqual({});
    expect(writeFieldSet(intersection(left, right))).toEqual({ "f:a": { "f:b": {} } });
    expect(equalSets(union(left, right), union(right, left))).toBe(true);
  });

  it("print their paths as Kubernetes does", () => {
    const paths = pathTexts(
      read({
        "f:spec": {
          "f:parallel": {},
          "f:list": { 'k:{"name":"x","port":80}': { ".": {}, "f:y": {} }, 'v:"a"': {}, "i:3": {} },
        },
      }),
    );
    expect(paths).toEqual([
      ".spec.list[3]",
      '.spec.list[name="x",port=80]',
      '.spec.list[name="x",port=80].y',
      '.spec.list[="a"]',
      ".spec.parallel",
    ]);
  });

  it("are read from what clients send only if they are sets", () => {
    expect(writeFieldSet(read(set))).toEqual(set);
    for (const bad of [null, [], "x", { spec: {} }, { "f:a": 1 }, { ".": { "f:a": {} } }, { "k:{": {} }]) {
      expect(parseFieldSet(bad)).toBeUndefined();
    }
  });
});
