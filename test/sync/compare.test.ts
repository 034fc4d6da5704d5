import { beforeAll, describe, expect, it } from "vitest";
import { bytesOf, type Comparison, compareWithRegsync, kindsText, SINGLE_TAGS } from "./comparison.ts";

const MINUTE = 60_000;

describe("what the same copy costs, beside regsync", () => {
  let results: readonly Comparison[];

  beforeAll(async () => {
    results = await compareWithRegsync();
    for (const { scenario, side, ours, regsync } of results) {
      console.log(`${scenario}, ${side}
  ours    ${ours.requests} requests, ${ours.bytes} bytes: ${kindsText(ours)}
  regsync ${regsync.requests} requests, ${regsync.bytes} bytes: ${kindsText(regsync)}`);
    }
  }, 5 * MINUTE);

  it("is never more requests", () => {
    expect(results.filter(({ ours, regsync }) => ours.requests > regsync.requests)).toEqual([]);
  });

  it("is never more bytes, of both sides together", () => {
    const scenarios = new Set(results.map(({ scenario }) => scenario));
    const more = [...scenarios].filter((scenario) => {
      const { ours, regsync } = bytesOf(results, scenario);
      return ours > regsync;
    });
    expect(more).toEqual([]);
  });

  it("is one HEAD for each tag and side when nothing changed", () => {
    const tags = SINGLE_TAGS + 1;
    for (const { scenario, side, ours } of results) {
      if (!scenario.startsWith("nothing changed") || scenario.includes("signatures")) continue;
      expect(ours.kinds, scenario).toEqual({ "HEAD manifest": tags, ...(side === "source" ? { tags: 1 } : {}) });
    }
  });

  it("has all of the scenarios", () => {
    expect(new Set(results.map(({ scenario }) => scenario)).size).toBe(9);
  });
});
