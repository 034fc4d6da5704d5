import { describe, expect, it } from "vitest";
import * as z from "zod";
import type { SchemaNode } from "../kinds/kind.ts";
import { nodeFromZod } from "./from-zod.ts";
import { checkStructural } from "./structural.ts";
import { validateSchema } from "./validate.ts";

describe("nodeFromZod", () => {
  it.each<[string, z.ZodType, SchemaNode]>([
    [
      "a text",
      z.string().min(1).max(5).regex(/^a/).describe("A."),
      { type: "string", minLength: 1, maxLength: 5, pattern: "^a", description: "A." },
    ],
    ["an integer", z.int().min(1).default(3), { type: "integer", minimum: 1, default: 3 }],
    ["a format", z.iso.datetime(), { type: "string", format: "date-time" }],
    ["a pattern that RE2 cannot do", z.string().regex(/(?!a)b/), { type: "string" }],
    ["an enum", z.enum(["a", "b"]), { type: "string", enum: ["a", "b"] }],
    ["literals", z.union([z.literal("a"), z.literal("b")]), { type: "string", enum: ["a", "b"] }],
    ["a whole literal", z.literal(5), { type: "integer", enum: [5] }],
    ["null", z.string().nullable(), { type: "string", nullable: true }],
    ["literals or null", z.union([z.literal("a"), z.null()]), { type: "string", enum: ["a"], nullable: true }],
    ["number or text", z.union([z.string(), z.int()]), { "x-kubernetes-int-or-string": true }],
    ["anything", z.unknown(), { "x-kubernetes-preserve-unknown-fields": true }],
    ["a record", z.record(z.string(), z.number()), { type: "object", additionalProperties: { type: "number" } }],
    ["a record of anything", z.record(z.string(), z.unknown()), { type: "object", additionalProperties: true }],
    [
      "a strict object",
      z.strictObject({ a: z.string() }),
      { type: "object", properties: { a: { type: "string" } }, required: ["a"] },
    ],
    [
      "a loose object",
      z.looseObject({ a: z.string().optional() }),
      { type: "object", properties: { a: { type: "string" } }, "x-kubernetes-preserve-unknown-fields": true },
    ],
    ["mixed", z.union([z.string(), z.array(z.string())]), { "x-kubernetes-preserve-unknown-fields": true }],
    [
      "a list with a type",
      z
        .array(z.object({ k: z.string() }))
        .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], title: "t" }),
      {
        type: "array",
        items: { type: "object", properties: { k: { type: "string" } }, required: ["k"] },
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k"],
      },
    ],
  ])("of %s", (_what, schema, node) => {
    expect(nodeFromZod(schema)).toEqual(node);
  });

  const schedule = z
    .discriminatedUnion("type", [
      z.object({ type: z.literal("cron"), at: z.string().min(3).describe("When."), zone: z.string().default("UTC") }),
      z.strictObject({ type: z.literal("every"), seconds: z.int().positive(), zone: z.string().default("UTC") }),
    ])
    .describe("When to run.");

  it("makes one structure of a discriminated union", () => {
    const node = nodeFromZod(schedule);
    expect(node).toEqual({
      type: "object",
      description: "When to run.",
      properties: {
        type: { type: "string", enum: ["cron", "every"] },
        at: { type: "string", minLength: 3, description: "When." },
        zone: { type: "string", default: "UTC" },
        seconds: { type: "integer", minimum: 0, exclusiveMinimum: true },
      },
      required: ["type"],
      anyOf: [
        { properties: { type: { enum: ["cron"] }, at: { minLength: 3 } }, required: ["type", "at"] },
        {
          properties: { type: { enum: ["every"] }, seconds: { minimum: 0, exclusiveMinimum: true } },
          required: ["type", "seconds"],
        },
      ],
    });
    expect(validateSchema({ type: "every", seconds: 5 }, node)).toEqual([]);
    expect(validateSchema({ type: "every" }, node).map(({ field }) => field)).toEqual(["", "seconds"]);
    expect(validateSchema({ type: "never" }, node).map(({ field }) => field)).toEqual(["type"]);
  });

  it("keeps the defaults of an intersection", () => {
    const both = z.intersection(schedule, z.object({ retries: z.int().default(2) }));
    expect(nodeFromZod(both).properties?.["retries"]?.default).toBe(2);
  });

  it("inlines references, and stops where a schema contains itself", () => {
    const Tree: z.ZodType = z.object({
      name: z.string(),
      get children() {
        return z.array(Tree).optional();
      },
    });
    const node = nodeFromZod(z.object({ tree: Tree }));
    expect(JSON.stringify(node)).not.toContain("$ref");
    expect(node.properties?.["tree"]?.properties?.["children"]?.items?.properties?.["name"]).toEqual({
      type: "string",
    });
  });

  it("is structural", () => {
    const everything = z.object({
      schedule,
      list: z.array(z.union([z.string(), z.int()])).optional(),
      map: z.record(z.string(), schedule),
      free: z.looseObject({}).optional(),
      any: z.any(),
      tuple: z.tuple([z.string(), z.int()]).optional(),
      several: z.string().regex(/a/).regex(/b/).optional(),
    });
    expect(checkStructural(nodeFromZod(everything))).toEqual([]);
  });
});
