import { describe, expect, it } from "vitest";
import type { SchemaNode } from "../kinds/kind.ts";
import { checkStructural } from "./structural.ts";

/** Definitions come as JSON; the type is a promise that they need not keep. */
function fields(properties: object): string[] {
  return checkStructural({ type: "object", properties } as unknown as SchemaNode, "schema").map(({ field }) => field);
}

describe("checkStructural", () => {
  it("takes what is structural", () => {
    const good = {
      spec: {
        type: "object",
        required: ["a"],
        properties: {
          a: { type: "string", pattern: "^a", default: "a" },
          b: { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] },
          c: { "x-kubernetes-preserve-unknown-fields": true },
          d: {
            type: "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["k", "p"],
            items: {
              type: "object",
              required: ["k"],
              properties: { k: { type: "string" }, p: { type: "string", default: "tcp" } },
            },
          },
          e: { type: "object", additionalProperties: { type: "integer" } },
        },
        oneOf: [{ required: ["a"] }, { properties: { a: { minLength: 2 } } }],
      },
    };
    expect(fields(good)).toEqual([]);
  });

  it.each<[string, object, string]>([
    ["no type", {}, "schema.properties[f].type"],
    ["a reference", { $ref: "#/x" }, "schema.properties[f].$ref"],
    ["an unknown type", { type: "text" }, "schema.properties[f].type"],
    ["an unknown keyword", { type: "string", patternProperties: {} }, "schema.properties[f].patternProperties"],
    ["properties that are none", { type: "object", properties: 5 }, "schema.properties[f].properties"],
    [
      "both kinds of properties",
      { type: "object", properties: {}, additionalProperties: true },
      "schema.properties[f].additionalProperties",
    ],
    ["closed objects", { type: "object", additionalProperties: false }, "schema.properties[f].additionalProperties"],
    ["a list of nothing", { type: "array" }, "schema.properties[f].items"],
    ["items of no list", { type: "string", items: { type: "string" } }, "schema.properties[f].type"],
    [
      "unique items",
      { type: "array", items: { type: "string" }, uniqueItems: true },
      "schema.properties[f].uniqueItems",
    ],
    ["a pattern of another language", { type: "string", pattern: "(?=a)" }, "schema.properties[f].pattern"],
    ["a wrong default", { type: "integer", default: "x" }, "schema.properties[f].default"],
    ["a null default", { type: "integer", default: null }, "schema.properties[f].default"],
    ["an open scalar", { type: "string", "x-kubernetes-preserve-unknown-fields": true }, "schema.properties[f].type"],
    ["a typed int-or-string", { type: "string", "x-kubernetes-int-or-string": true }, "schema.properties[f].type"],
    [
      "a map without keys",
      { type: "array", items: { type: "object" }, "x-kubernetes-list-type": "map" },
      "schema.properties[f].x-kubernetes-list-map-keys",
    ],
    [
      "a key that may be absent",
      {
        type: "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k"],
        items: { type: "object", properties: { k: { type: "string" } } },
      },
      "schema.properties[f].items.properties[k].default",
    ],
    [
      "a set of objects",
      { type: "array", items: { type: "object" }, "x-kubernetes-list-type": "set" },
      "schema.properties[f].items.x-kubernetes-map-type",
    ],
    ["a type in a combination", { type: "string", anyOf: [{ type: "string" }] }, "schema.properties[f].anyOf[0].type"],
    [
      "fields known to a combination alone",
      { type: "object", allOf: [{ properties: { a: { minimum: 1 } } }] },
      "schema.properties[f].properties[a]",
    ],
    [
      "a rule that is none",
      { type: "string", "x-kubernetes-validations": [{ message: "m" }] },
      "schema.properties[f].x-kubernetes-validations",
    ],
    ["an empty enum", { type: "string", enum: [] }, "schema.properties[f].enum"],
  ])("refuses %s", (_what, node, field) => {
    expect(fields({ f: node })).toContain(field);
  });

  it("refuses another root, and what is too deep or too large", () => {
    expect(checkStructural({ type: "string" })[0]?.field).toBe("type");
    let deep: SchemaNode = { type: "string" };
    for (let depth = 0; depth < 40; depth += 1) deep = { type: "object", properties: { a: deep } };
    expect(checkStructural(deep)).toHaveLength(1);
    const properties = Object.fromEntries(
      Array.from({ length: 6000 }, (_, index) => [`p${index}`, { type: "string" }]),
    );
    expect(fields(properties).length).toBe(1);
  });
});
