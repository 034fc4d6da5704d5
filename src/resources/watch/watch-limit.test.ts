import { expect, it } from "vitest";
import { WatchLimit } from "./watch-limit.ts";

it("counts the watches of each account, and gives them back", () => {
  const limit = new WatchLimit(2, () => 0);
  const first = limit.enter("alice");
  expect(limit.enter("alice")).toBeDefined();
  expect(limit.enter("alice")).toBeUndefined();
  expect(limit.enter("bob")).toBeDefined();
  first?.leave();
  first?.leave();
  expect(limit.enter("alice")).toBeDefined();
  expect(limit.enter("alice")).toBeUndefined();
});

it("forgets watches that nothing was heard of for ten minutes", () => {
  let now = 0;
  const limit = new WatchLimit(1, () => now);
  const watch = limit.enter("alice");
  now += 9 * 60_000;
  watch?.touch();
  now += 9 * 60_000;
  expect(limit.enter("alice")).toBeUndefined();
  now += 2 * 60_000;
  expect(limit.enter("alice")).toBeDefined();
});
