import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startCronClock } from "./cron-clock.ts";

const MINUTE = 60_000;
const NOON = Date.UTC(2026, 10, 20, 12);

let ticks: number[];
let reported: unknown[];

beforeEach(() => {
  ticks = [];
  reported = [];
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("startCronClock", () => {
  it("ticks at the start of every minute, and says which one", async () => {
    vi.setSystemTime(NOON + 12_345);
    const stop = start();
    await vi.advanceTimersByTimeAsync(MINUTE - 12_346);
    expect(ticks).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    await vi.advanceTimersByTimeAsync(2 * MINUTE);
    expect(ticks).toEqual([NOON + MINUTE, NOON + 2 * MINUTE, NOON + 3 * MINUTE]);
    stop();
  });

  it("waits for the next minute when it starts on one", async () => {
    vi.setSystemTime(NOON);
    const stop = start();
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(ticks).toEqual([NOON + MINUTE]);
    stop();
  });

  it("stops", async () => {
    vi.setSystemTime(NOON);
    const stop = start();
    await vi.advanceTimersByTimeAsync(MINUTE);
    stop();
    await vi.advanceTimersByTimeAsync(10 * MINUTE);
    expect(ticks).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("reports a tick that fails, and goes on", async () => {
    vi.setSystemTime(NOON);
    const stop = start(() => Promise.reject(new Error("down")));
    await vi.advanceTimersByTimeAsync(2 * MINUTE);
    expect(ticks).toHaveLength(2);
    expect(reported.map(String)).toEqual(["Error: down", "Error: down"]);
    stop();
  });

  it("does not wait for a slow tick", async () => {
    vi.setSystemTime(NOON);
    const stop = start(() => new Promise(() => {}));
    await vi.advanceTimersByTimeAsync(3 * MINUTE);
    expect(ticks).toHaveLength(3);
    stop();
  });

  it("ticks once a minute though the wall clock is behind the timers", async () => {
    // Timers follow a clock of their own: one may fire a little before the wall clock says so.
    vi.setSystemTime(NOON);
    const stop = start();
    vi.setSystemTime(NOON - 1);
    await vi.advanceTimersByTimeAsync(MINUTE + 100);
    expect(ticks).toEqual([NOON + MINUTE]);
    stop();
  });
});

function start(work: () => Promise<void> = async () => {}): () => void {
  return startCronClock(
    (minute) => {
      ticks.push(minute.getTime());
      return work();
    },
    (error) => reported.push(error),
  );
}
