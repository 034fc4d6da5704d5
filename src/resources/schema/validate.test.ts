import { describe, expect, it } from "vitest";
import type { SchemaNode } from "../kinds/kind.ts";
import { validateSchema } from "./validate.ts";

function said(value: unknown, node: SchemaNode): string[] {
  const wrapped: SchemaNode = { type: "object", properties: { f: node } };
  return validateSchema({ f: value }, wrapped).map(({ reason, message, field }) => `${reason} ${field}: ${message}`);
}

const INVALID = "FieldValueInvalid f: Invalid value:";
const TYPE = "FieldValueTypeInvalid f: Invalid value:";

describe("validateSchema", () => {
  it.each<[unknown, SchemaNode, string[]]>([
    ["x", { type: "integer" }, [`${TYPE} "x": must be of type integer: "string"`]],
    [1.5, { type: "integer" }, [`${TYPE} 1.5: must be of type integer: "number"`]],
    [{ secret: 1 }, { type: "string" }, [`${TYPE} "object": must be of type string: "object"`]],
    [null, { type: "string" }, [`${TYPE} null: must be of type string: "null"`]],
    [null, { type: "string", nullable: true, minLength: 1 }, []],
    [1, { type: "number" }, []],
    [
      "c",
      { type: "string", enum: ["a", "b"] },
      ['FieldValueNotSupported f: Unsupported value: "c": supported values: "a", "b"'],
    ],
    [{ b: 1, a: 2 }, { type: "object", enum: [{ a: 2, b: 1 }] }, []],
    ["ab", { type: "string", maxLength: 1 }, ["FieldValueTooLong f: Too long: may not be more than 1 characters"]],
    ["𝒂", { type: "string", maxLength: 1, minLength: 1 }, []],
    ["𝒂", { type: "string", minLength: 2 }, [`${INVALID} "𝒂": should be at least 2 chars long`]],
    ["B", { type: "string", pattern: "^[a-z]+$" }, [`${INVALID} "B": should match '^[a-z]+$'`]],
    [0, { type: "integer", minimum: 1 }, [`${INVALID} 0: should be greater than or equal to 1`]],
    [1, { type: "integer", minimum: 1, exclusiveMinimum: true }, [`${INVALID} 1: should be greater than 1`]],
    [1, { type: "integer", exclusiveMaximum: 1 }, [`${INVALID} 1: should be less than 1`]],
    [3, { type: "integer", maximum: 2 }, [`${INVALID} 3: should be less than or equal to 2`]],
    [0.3, { type: "number", multipleOf: 0.1 }, []],
    [5, { type: "integer", multipleOf: 2 }, [`${INVALID} 5: should be a multiple of 2`]],
    [
      [1, 2, 3],
      { type: "array", items: {}, maxItems: 2 },
      ["FieldValueTooMany f: Too many: 3: must have at most 2 items"],
    ],
    [[], { type: "array", items: {}, minItems: 1 }, [`${INVALID} "array": should have at least 1 items`]],
    [
      ["a", "a"],
      { type: "array", "x-kubernetes-list-type": "set" },
      ['FieldValueDuplicate f[1]: Duplicate value: "a"'],
    ],
    [
      [{ k: "a", v: 1 }, { k: "b" }, { k: "a", v: 2 }],
      { type: "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"] },
      ['FieldValueDuplicate f[2]: Duplicate value: {"k":"a"}'],
    ],
    [{ a: 1 }, { type: "object", required: ["a", "b"] }, ["FieldValueRequired f.b: Required value"]],
    [{ a: 1 }, { type: "object", maxProperties: 0 }, [`${INVALID} "object": should have at most 0 properties`]],
    [{}, { type: "object", minProperties: 1 }, [`${INVALID} "object": should have at least 1 properties`]],
    [
      { a: "x" },
      { type: "object", additionalProperties: { type: "integer" } },
      ['FieldValueTypeInvalid f.a: Invalid value: "x": must be of type integer: "string"'],
    ],
    [
      ["x"],
      { type: "array", items: { type: "integer" } },
      ['FieldValueTypeInvalid f[0]: Invalid value: "x": must be of type integer: "string"'],
    ],
    ["5", { "x-kubernetes-int-or-string": true }, []],
    [true, { "x-kubernetes-int-or-string": true }, [`${TYPE} true: must be of type integer,string: "boolean"`]],
    [{ any: [1] }, { "x-kubernetes-preserve-unknown-fields": true }, []],
    [5, { type: "integer", not: { enum: [5] } }, [`${INVALID} 5: must not validate the schema (not)`]],
    [5, { type: "integer", allOf: [{ minimum: 6 }] }, [`${INVALID} 5: should be greater than or equal to 6`]],
    [
      5,
      { type: "integer", oneOf: [{ minimum: 1 }, { maximum: 9 }] },
      [`${INVALID} 5: must validate one and only one schema (oneOf)`],
    ],
    [
      { t: "b" },
      {
        type: "object",
        anyOf: [{ properties: { t: { enum: ["a"] } } }, { properties: { t: { enum: ["b"] } }, required: ["v"] }],
      },
      [`${INVALID} "object": must validate at least one schema (anyOf)`, "FieldValueRequired f.v: Required value"],
    ],
  ])("of %j with %j", (value, node, expected) => {
    expect(said(value, node)).toEqual(expected);
  });

  it.each<[string, unknown, boolean]>([
    ["date-time", "2026-01-31T10:00:00Z", true],
    ["date-time", "2026-01-31T10:00:00.123+02:00", true],
    ["date-time", "2026-02-30T10:00:00Z", false],
    ["date-time", "2026-01-31 25:00:00Z", false],
    ["date-time", "yesterday", false],
    ["date", "2024-02-29", true],
    ["date", "2023-02-29", false],
    ["duration", "1h30m", true],
    ["duration", "PT5M", true],
    ["duration", "5 apples", false],
    ["int32", 2 ** 31, false],
    ["int32", 2 ** 31 - 1, true],
    ["int64", 2 ** 53, true],
    ["int64", 1e30, false],
    ["uri", "https://example.dev/a", true],
    ["uri", "no uri", false],
    ["byte", "aGk=", true],
    ["byte", "aGk", false],
    ["ipv4", "10.0.0.1", true],
    ["ipv4", "10.0.0.256", false],
    ["ipv6", "::1", true],
    ["ipv6", "1:2", false],
    ["uuid", "0190a5b4-7c3e-7000-8000-000000000000", true],
    ["email", "a@b.dev", true],
    ["hostname", "a.example.dev", true],
    ["hostname", "-a", false],
    ["something-else", "anything", true],
  ])("format %s of %j: %s", (format, value, isGood) => {
    const type = typeof value === "number" ? "integer" : "string";
    expect(said(value, { type, format })).toHaveLength(isGood ? 0 : 1);
  });

  it("is not stopped by a pattern made to backtrack", () => {
    const started = performance.now();
    expect(said(`${"a".repeat(50_000)}!`, { type: "string", pattern: "^(a+)+$" })).toHaveLength(1);
    expect(performance.now() - started).toBeLessThan(30_000);
  });

  it("is not fooled by names of prototypes", () => {
    const value: unknown = JSON.parse('{"__proto__":1}');
    expect(validateSchema(value, { type: "object", required: ["toString", "__proto__"], properties: {} })).toEqual([
      { reason: "FieldValueRequired", message: "Required value", field: "toString" },
    ]);
  });

  it("gives up on what is nested too deeply, and stops at a hundred causes", () => {
    let node: SchemaNode = { type: "array" };
    let value: unknown = [];
    for (let depth = 0; depth < 100; depth += 1) {
      node = { type: "array", items: node };
      value = [value];
    }
    expect(validateSchema(value, node)[0]?.message).toContain("must not be nested deeper than 64 levels");
    const many = Array.from({ length: 1000 }, () => "x");
    expect(validateSchema(many, { type: "array", items: { type: "integer" } })).toHaveLength(100);
  });
});
