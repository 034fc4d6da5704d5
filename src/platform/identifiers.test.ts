import { describe, expect, it } from "vitest";
import { uuidv7, uuidv7Time } from "./identifiers.ts";

const NOW = Date.UTC(2026, 10, 20, 12, 34, 56, 789);

describe("uuidv7", () => {
  it("has the form of RFC 9562", () => {
    expect(uuidv7(NOW)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it.each([0, 1, 0xffff, 0x1_0000, NOW, 2 ** 48 - 1])("tells when it was made: %i", (time) => {
    expect(uuidv7Time(uuidv7(time))).toBe(time);
  });

  it("is never the same twice", () => {
    expect(new Set(Array.from({ length: 1000 }, () => uuidv7(NOW))).size).toBe(1000);
  });

  it("sorts by time", () => {
    const ids = [NOW + 2, NOW, NOW + 1_000_000, NOW + 1].map(uuidv7);
    expect(ids.toSorted().map(uuidv7Time)).toEqual([NOW, NOW + 1, NOW + 2, NOW + 1_000_000]);
  });
});

describe("uuidv7Time", () => {
  it.each([
    ["nothing", ""],
    ["another version", "0190163d-8694-4ab3-8f1a-000000000000"],
    ["too short", "0190163d-8694-7ab3-8f1a-00000000000"],
    ["too long", "0190163d-8694-7ab3-8f1a-0000000000000"],
    ["not hexadecimal from the start", "zzzzzzzz-zzzz-7zzz-zzzz-zzzzzzzzzzzz"],
    ["not hexadecimal in the time", "0190163d-zzzz-7ab3-8f1a-000000000000"],
    ["not hexadecimal in the rest", "0190163d-8694-7ab3-8f1a-zzzzzzzzzzzz"],
  ])("knows no time of %s", (_, id) => {
    expect(uuidv7Time(id)).toBeUndefined();
  });
});
