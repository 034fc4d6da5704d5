import { describe, expect, it } from "vitest";
import type { Schedule } from "../mirror/index.ts";
import { keepSchedule } from "./watch.ts";

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 1, 10, 30);

/** Keeps a schedule for some hours in which waiting takes no time; answers when runs began, as hours after the start. */
async function runsOf(schedule: Schedule, hours: number, last: number | undefined, duration = 0): Promise<number[]> {
  let now = START;
  let lastRun = last;
  const stop = new AbortController();
  const runs: number[] = [];
  const pass = (time: number): void => {
    now += time;
    if (now > START + hours * HOUR) stop.abort(new Error("over"));
  };
  await keepSchedule(schedule, {
    clock: () => now,
    sleep: async (wait) => pass(wait),
    signal: stop.signal,
    lastRun: () => lastRun,
    saveLastRun: (time) => (lastRun = time),
    announce: () => undefined,
    run: async () => {
      runs.push((now - START) / HOUR);
      pass(duration);
    },
  });
  return runs;
}

describe("keepSchedule", () => {
  it.each([
    ["cron, never run: at its next time", { cron: "0 * * * *" }, undefined, [0.5, 1.5, 2.5]],
    ["cron, run lately: at its next time", { cron: "0 * * * *" }, START - 60_000, [0.5, 1.5, 2.5]],
    ["cron, many runs missed: once, at once", { cron: "0 * * * *" }, START - 9 * HOUR, [0, 0.5, 1.5, 2.5]],
    ["interval, never run: at once", { interval: "1h" }, undefined, [0, 1, 2, 3]],
    ["interval, run lately: when it is over", { interval: "1h" }, START - HOUR / 2, [0.5, 1.5, 2.5]],
    ["interval, many runs missed: once, at once", { interval: "1h" }, START - 9.5 * HOUR, [0, 1, 2, 3]],
  ] as const)("%s", async (_case, schedule, last, expected) => {
    expect(await runsOf(schedule, 3.2, last)).toEqual(expected);
  });

  it("runs once after a run that took longer than the schedule", async () => {
    expect(await runsOf({ cron: "0 * * * *" }, 6.2, START, 2.25 * HOUR)).toEqual([0.5, 2.75, 5]);
  });
});
