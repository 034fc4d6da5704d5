import { describe, expect, it, vi } from "vitest";
import type { SchemaNode } from "../kinds/kind.ts";
import type { ResourceObject } from "../objects/object.ts";
import { serverSideApply } from "./apply.ts";

const node: SchemaNode = {
  type: "object",
  properties: { spec: { type: "object", additionalProperties: { type: "string" } } },
};

function configuration(fields: number, value: string) {
  const spec = Object.fromEntries(Array.from({ length: fields }, (_, index) => [`k${index}`, value]));
  return { apiVersion: "g/v1", kind: "K", metadata: { name: "a" }, spec };
}

/** Fields that are looked up or noted while an object of so many is applied anew, with other values. */
function steps(fields: number): number {
  const request = { manager: "m", apiVersion: "g/v1", time: "2026-01-01T00:00:00Z", node, force: false };
  const first = serverSideApply({ ...request, live: undefined, applied: configuration(fields, "x") });
  const [get, set] = [vi.spyOn(Map.prototype, "get"), vi.spyOn(Map.prototype, "set")];
  try {
    serverSideApply({ ...request, live: first.object as ResourceObject, applied: configuration(fields, "y") });
    return get.mock.calls.length + set.mock.calls.length;
  } finally {
    get.mockRestore();
    set.mockRestore();
  }
}

describe("the work of an apply", () => {
  it("is a few steps for each field, however many there are", () => {
    expect(steps(200) / 200).toBeLessThan(40);
    expect(steps(2000) / 2000).toBeLessThan(40);
  });
});
