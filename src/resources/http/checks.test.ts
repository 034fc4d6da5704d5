import { describe, expect, test } from "vitest";
import type { JsonObject } from "../objects/object.ts";
import { objectWithMetadata } from "./checks.ts";

describe("objectWithMetadata", () => {
  test("adds what is missing, and keeps what is there", () => {
    expect(objectWithMetadata({ kind: "Task" })).toEqual({ kind: "Task", metadata: {} });
    const whole = { apiVersion: "v1", kind: "Task", metadata: { name: "a", labels: { b: "c" } }, spec: {} };
    expect(objectWithMetadata(whole)).toEqual(whole);
    expect(objectWithMetadata({ metadata: null })).toEqual({ metadata: {} });
  });

  test.each<[string, JsonObject]>([
    ["metadata: must be an object", { metadata: 7 }],
    ["metadata: must be an object", { metadata: [] }],
    ["kind: must be a text", { kind: {} }],
    ["apiVersion: must be a text", { apiVersion: 1 }],
    ["metadata.name: must be a text", { metadata: { name: 7 } }],
    ["metadata.namespace: must be a text", { metadata: { namespace: ["a"] } }],
    ["metadata.resourceVersion: must be a text", { metadata: { resourceVersion: 12 } }],
  ])("refuses: %s", (message, object) => {
    expect(() => objectWithMetadata(object)).toThrow(message);
  });
});
