import { describe, expect, it } from "vitest";
import { durationProblem, formatDuration, parseDuration } from "./duration.ts";

describe("parseDuration", () => {
  it.each([
    ["30s", 30_000],
    ["5m", 300_000],
    ["24h", 86_400_000],
    ["7d", 604_800_000],
    ["1h30m", 5_400_000],
    ["90s", 90_000],
    ["250ms", 250],
    ["1d2h3m4s5ms", 93_784_005],
    ["0s", 0],
    ["3650d", 315_360_000_000],
  ])("reads %j", (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });

  it.each(["", "5", "s", "-5s", "1.5h", "5 m", "5M", "30m1h", "1h1h", "1w", "3651d", "9999999s", "5m ", "P1D", "٣s"])(
    "refuses %j",
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
      expect(durationProblem(text)).toContain("must be a duration");
    },
  );
});

describe("formatDuration", () => {
  it.each(["30s", "1h30m", "7d", "1d2h3m4s5ms", "0s"])("writes %j as it was", (text) => {
    expect(formatDuration(parseDuration(text) ?? -1)).toBe(text);
  });

  it("prefers large units", () => {
    expect(formatDuration(90_000)).toBe("1m30s");
  });
});
