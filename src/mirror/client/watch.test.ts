import { afterEach, expect, it, vi } from "vitest";
import { createWatch } from "./watch.ts";

afterEach(() => {
  // In this order: what the spy gives back is the clock that was there when it was made.
  vi.restoreAllMocks();
  vi.useRealTimers();
});

it("has one timer, however often something is expected anew", async () => {
  vi.useFakeTimers();
  const made = vi.spyOn(globalThis, "setTimeout");
  const watch = createWatch("there", []);
  for (let piece = 0; piece < 1000; piece += 1) {
    watch.expect(60_000, "no byte came");
    watch.rest();
  }
  expect(made).toHaveBeenCalledTimes(1);
  // Time in which nothing is expected does not count, and the latest time does.
  await vi.advanceTimersByTimeAsync(600_000);
  expect(watch.signal.aborted).toBe(false);
  watch.expect(60_000, "no byte came");
  await vi.advanceTimersByTimeAsync(40_000);
  watch.expect(60_000, "no byte came");
  await vi.advanceTimersByTimeAsync(59_999);
  expect(watch.signal.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(watch.signal.reason).toMatchObject({ failure: "transient", message: "there: no byte came within 60 seconds" });
});

it("looks sooner where something is expected sooner", async () => {
  vi.useFakeTimers();
  const watch = createWatch("there", []);
  watch.expect(300_000, "no answer");
  watch.expect(1000, "no byte");
  await vi.advanceTimersByTimeAsync(1000);
  expect(watch.signal.reason).toMatchObject({ message: "there: no byte within 1 seconds" });
  expect(vi.getTimerCount()).toBe(0);
});

it("lets go of its timer and its parents at the end", () => {
  vi.useFakeTimers();
  const parent = new AbortController();
  const watch = createWatch("there", [parent.signal]);
  watch.expect(1000, "no byte");
  watch.end();
  watch.expect(1000, "no byte");
  expect(vi.getTimerCount()).toBe(0);
  parent.abort();
  expect(watch.signal.aborted).toBe(false);
});
