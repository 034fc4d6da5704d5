import { describe, expect, it } from "vitest";
import { repetitions } from "./repetitions.ts";

describe("repetitions", () => {
  const value = 'long "secret" value';

  it.each([value, `before ${value} after`, JSON.stringify({ v: value }), `x ${btoa(value)}`])(
    "are found in %j",
    (text) => {
      expect(repetitions({ annotations: { a: "b", tool: text }, labels: { b: "c" } }, value)).toEqual([
        "metadata.annotations[tool]",
      ]);
    },
  );

  it("of a few characters are chance", () => {
    expect(repetitions({ annotations: { a: "on" } }, "on")).toEqual([]);
  });
});
