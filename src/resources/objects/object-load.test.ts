import { describe, expect, it } from "vitest";
import { checkLoad, OBJECT_LIMITS } from "./object-load.ts";
import type { ResourceInput } from "./object.ts";

const kind = { group: "example.com", kind: "Task" };

function many(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, "v"]));
}

function list(count: number): object[] {
  return Array.from({ length: count }, (_, index) => ({ name: `n${index}` }));
}

/** The fields that are refused. */
function refused(parts: object): unknown {
  try {
    checkLoad(kind, "a", { metadata: {}, ...parts } as unknown as ResourceInput);
    return [];
  } catch (error) {
    const { code, details } = error as { code: number; details: { causes: { field: string; reason: string }[] } };
    return [code, ...details.causes.map(({ field }) => field)];
  }
}

describe("an object", () => {
  it.each(["labels", "annotations"] as const)("may have so many %s, not more", (field) => {
    expect(refused({ metadata: { [field]: many(OBJECT_LIMITS[field]) } })).toEqual([]);
    expect(refused({ metadata: { [field]: many(OBJECT_LIMITS[field] + 1) } })).toEqual([422, `metadata.${field}`]);
  });

  it.each(["finalizers", "ownerReferences", "managedFields"] as const)("may have so many %s, not more", (field) => {
    expect(refused({ metadata: { [field]: list(OBJECT_LIMITS[field]) } })).toEqual([]);
    expect(refused({ metadata: { [field]: list(OBJECT_LIMITS[field] + 1) } })).toEqual([422, `metadata.${field}`]);
  });

  it("may have so many fields in all, and is told where most are", () => {
    expect(refused({ spec: { data: many(OBJECT_LIMITS.values - 10) } })).toEqual([]);
    expect(refused({ spec: { a: {}, data: many(OBJECT_LIMITS.values) } })).toEqual([422, "spec.data"]);
    expect(refused({ spec: { items: [{}, { list: list(OBJECT_LIMITS.values / 2) }] } })).toEqual([
      422,
      "spec.items[1].list",
    ]);
  });

  it("may have so many fields that are owned", () => {
    const fieldsV1 = many(OBJECT_LIMITS.ownedFields);
    expect(refused({ metadata: { managedFields: [{ fieldsV1 }] } })).toEqual([422, "metadata.managedFields"]);
  });
});
