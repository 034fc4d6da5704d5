import { describe, expect, it } from "vitest";
import { parseDisplayKey } from "./display.ts";

describe("a display key", () => {
  it.each([
    ["user:alice", { type: "user", name: "alice" }],
    ["user:a@example.com", { type: "user", name: "a@example.com" }],
    ["team:ops", { type: "team", name: "ops" }],
    ["serviceaccount:team-a:ci", { type: "serviceaccount", namespace: "team-a", name: "ci" }],
    ["", undefined],
    ["user:", undefined],
    ["user:a:b", undefined],
    ["team:a:b", undefined],
    ["serviceaccount:ci", undefined],
    ["serviceaccount::ci", undefined],
    ["serviceaccount:a:b:c", undefined],
    ["role:x", undefined],
    ["constructor:x", undefined],
    [`user:${"x".repeat(400)}`, undefined],
  ])("%s", (key, expected) => {
    expect(parseDisplayKey(key)).toEqual(expected);
  });
});
