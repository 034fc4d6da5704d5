import { describe, expect, it } from "vitest";
import { executionName, parseExecutionName } from "./execution.ts";

describe("the name of a run", () => {
  it.each([
    ["nightly-1", { task: "nightly", id: 1 }],
    ["a-1-2-345", { task: "a-1-2", id: 345 }],
  ])("%s has a task and a number", (name, parsed) => {
    expect(parseExecutionName(name)).toEqual(parsed);
    expect(executionName(parsed)).toBe(name);
  });

  it.each(["", "nightly", "nightly-", "nightly-0", "nightly-01", "nightly-x", "-1", "nightly-1234567890123456"])(
    "is not %j",
    (name) => {
      expect(parseExecutionName(name)).toBeUndefined();
    },
  );
});
