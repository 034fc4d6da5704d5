import { describe, expect, it } from "vitest";
import { Lru } from "./lru.ts";

describe("Lru", () => {
  it("forgets what was used least recently", () => {
    const lru = new Lru<number>(2);
    lru.set("a", 1, 1);
    lru.set("b", 2, 1);
    expect(lru.get("a")).toBe(1);
    lru.set("c", 3, 1);
    expect([lru.get("a"), lru.get("b"), lru.get("c")]).toEqual([1, undefined, 3]);
  });

  it("forgets as many as the new value needs", () => {
    const lru = new Lru<string>(10);
    for (const key of ["a", "b", "c"]) lru.set(key, key, 3);
    lru.set("d", "d", 7);
    expect(["a", "b", "c", "d"].map((key) => lru.get(key))).toEqual([undefined, undefined, "c", "d"]);
    expect(lru.weight).toBe(10);
  });

  it("keeps nothing that is heavier than everything, and drops the value it would have replaced", () => {
    const lru = new Lru<string>(5);
    lru.set("a", "light", 1);
    lru.set("b", "b", 1);
    lru.set("a", "heavy", 6);
    expect(lru.get("a")).toBeUndefined();
    expect(lru.get("b")).toBe("b");
    expect(lru.weight).toBe(1);
  });

  it("counts a replaced value once", () => {
    const lru = new Lru<string>(5);
    lru.set("a", "old", 4);
    lru.set("a", "new", 2);
    expect(lru.weight).toBe(2);
    lru.delete("a");
    lru.delete("a");
    expect(lru.weight).toBe(0);
  });

  it("with no capacity keeps only what weighs nothing", () => {
    const lru = new Lru<string>(0);
    lru.set("a", "a", 1);
    lru.set("b", "b", 0);
    expect([lru.get("a"), lru.get("b")]).toEqual([undefined, "b"]);
  });
});
