import { describe, expect, it } from "vitest";
import { nextRuns, previousRun } from "./schedule.ts";

const BERLIN = "Europe/Berlin";

function next(cron: string, after: string, count: number, timeZone?: string): readonly string[] {
  const schedule = timeZone === undefined ? { cron } : { cron, timeZone };
  return nextRuns(schedule, new Date(after), count).map((run) => run.toISOString().slice(0, 16));
}

function previous(cron: string, before: string, timeZone?: string): string | undefined {
  const schedule = timeZone === undefined ? { cron } : { cron, timeZone };
  return previousRun(schedule, new Date(before))?.toISOString().slice(0, 16);
}

describe("nextRuns", () => {
  it.each([
    ["0 2 * * *", "2026-01-01T02:00:00Z", ["2026-01-02T02:00", "2026-01-03T02:00"]],
    ["0 2 * * *", "2026-01-01T01:59:59.999Z", ["2026-01-01T02:00", "2026-01-02T02:00"]],
    ["*/15 * * * *", "2026-01-01T00:07:00Z", ["2026-01-01T00:15", "2026-01-01T00:30"]],
    ["5,35 8-10/2 * * *", "2026-01-01T08:10:00Z", ["2026-01-01T08:35", "2026-01-01T10:05"]],
    ["0 0 * jan,MAR *", "2026-01-31T00:00:00Z", ["2026-03-01T00:00", "2026-03-02T00:00"]],
    ["0 0 * * MON-fri", "2026-01-02T00:00:00Z", ["2026-01-05T00:00", "2026-01-06T00:00"]],
    ["0 0 * * 7", "2026-01-01T00:00:00Z", ["2026-01-04T00:00", "2026-01-11T00:00"]],
    ["0 0 * * 5-7", "2026-01-03T00:00:00Z", ["2026-01-04T00:00", "2026-01-09T00:00"]],
    ["0 0 13 * 5", "2026-01-09T00:00:00Z", ["2026-01-13T00:00", "2026-01-16T00:00"]],
    ["0 0 */2 * 5", "2026-01-03T00:00:00Z", ["2026-01-09T00:00", "2026-01-23T00:00"]],
    ["0 0 31 * *", "2026-01-31T00:00:00Z", ["2026-03-31T00:00", "2026-05-31T00:00"]],
    ["0 0 29 2 *", "2096-03-01T00:00:00Z", ["2104-02-29T00:00", "2108-02-29T00:00"]],
    ["@weekly", "2026-01-01T00:00:00Z", ["2026-01-04T00:00", "2026-01-11T00:00"]],
    ["59 23 31 12 *", "2026-12-31T23:59:00Z", ["2027-12-31T23:59", "2028-12-31T23:59"]],
  ])("%j after %s", (cron, after, expected) => {
    expect(next(cron, after, 2)).toEqual(expected);
  });

  it.each([
    ["in winter", "0 2 * * *", "2026-01-01T12:00:00Z", ["2026-01-02T01:00"]],
    ["in summer", "0 2 * * *", "2026-07-01T12:00:00Z", ["2026-07-02T00:00"]],
    ["across the change", "0 12 * * *", "2026-03-28T12:00:00Z", ["2026-03-29T10:00", "2026-03-30T10:00"]],
    ["at midnight", "0 0 * * *", "2026-07-01T12:00:00Z", ["2026-07-01T22:00"]],
    // The clock goes from 02:00 to 03:00 at 01:00 UTC: what was to run in between runs then, as cron(8) has it.
    ["at a time that is skipped", "30 2 * * *", "2026-03-28T12:00:00Z", ["2026-03-29T01:00", "2026-03-30T00:30"]],
    ["at several that are skipped", "10,50 2 * * *", "2026-03-28T12:00:00Z", ["2026-03-29T01:00", "2026-03-30T00:10"]],
    ["by the time that passes", "*/20 2 * * *", "2026-03-28T12:00:00Z", ["2026-03-30T00:00", "2026-03-30T00:20"]],
    [
      "each hour around the gap",
      "30 * * * *",
      "2026-03-28T23:45:00Z",
      ["2026-03-29T00:30", "2026-03-29T01:30", "2026-03-29T02:30"],
    ],
    ["at times that meet in the gap", "0 2,3 * * *", "2026-03-28T12:00:00Z", ["2026-03-29T01:00", "2026-03-30T00:00"]],
    [
      "at times that change places in the gap",
      "0,40 2,3 * * *",
      "2026-03-29T00:00:00Z",
      ["2026-03-29T01:00", "2026-03-29T01:40", "2026-03-30T00:00"],
    ],
    ["before and after in the gap", "50 2 * * *", "2026-03-29T00:59:59Z", ["2026-03-29T01:00", "2026-03-30T00:50"]],
    // The clock goes from 03:00 back to 02:00 at 01:00 UTC.
    ["at a time that comes twice", "30 2 * * *", "2026-10-24T12:00:00Z", ["2026-10-25T00:30", "2026-10-26T01:30"]],
    ["between the two", "30 2 * * *", "2026-10-25T00:30:00Z", ["2026-10-26T01:30"]],
    ["in the second of the two hours", "30 2 * * *", "2026-10-25T01:00:00Z", ["2026-10-26T01:30"]],
    [
      "each hour, also the one that comes twice",
      "30 * * * *",
      "2026-10-24T23:45:00Z",
      ["2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T02:30", "2026-10-25T03:30"],
    ],
    [
      "each half hour, in order",
      "*/30 * * * *",
      "2026-10-24T23:45:00Z",
      ["2026-10-25T00:00", "2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30", "2026-10-25T02:00"],
    ],
  ])("in Berlin %s", (_, cron, after, expected) => {
    expect(next(cron, after, expected.length, BERLIN)).toEqual(expected);
  });

  it("gives one after the other what it gives at once", () => {
    for (const cron of ["*/20 * * * *", "15 * * * *", "30 2 * * *", "0,45 1-4 * * *"]) {
      for (const [start, end] of [
        ["2026-03-28T20:00:00Z", "2026-03-30T04:00:00Z"],
        ["2026-10-24T20:00:00Z", "2026-10-26T04:00:00Z"],
      ] as const) {
        const one: Date[] = [];
        for (let at = new Date(start); at < new Date(end);) {
          const [run] = nextRuns({ cron, timeZone: BERLIN }, at, 1);
          if (run === undefined) throw new Error("no run");
          expect(run > at).toBe(true);
          expect(previousRun({ cron, timeZone: BERLIN }, run)).toEqual(run);
          const justBefore = new Date(run.getTime() - 1);
          const last = one.at(-1);
          if (last !== undefined) expect(previousRun({ cron, timeZone: BERLIN }, justBefore)).toEqual(last);
          one.push(run);
          at = run;
        }
        expect(nextRuns({ cron, timeZone: BERLIN }, new Date(start), one.length)).toEqual(one);
      }
    }
  });

  it.each([
    ["Asia/Kolkata", "2026-01-01T20:30"],
    ["America/New_York", "2026-01-02T07:00"],
    ["Pacific/Kiritimati", "2026-01-01T12:00"],
    ["Australia/Lord_Howe", "2026-01-01T15:00"],
  ])("knows %s", (zone, expected) => {
    expect(next("0 2 * * *", "2026-01-01T10:00:00Z", 1, zone)).toEqual([expected]);
  });

  it("counts intervals from an anchor", () => {
    const anchor = new Date("2026-01-01T01:00:00Z");
    const runs = (after: string) =>
      nextRuns({ interval: "6h" }, new Date(after), 2, anchor).map((run) => run.toISOString().slice(0, 16));
    expect(runs("2026-01-01T07:00:00Z")).toEqual(["2026-01-01T13:00", "2026-01-01T19:00"]);
    expect(runs("2026-01-01T06:59:59Z")).toEqual(["2026-01-01T07:00", "2026-01-01T13:00"]);
    expect(runs("2025-01-01T00:00:00Z")).toEqual(["2026-01-01T01:00", "2026-01-01T07:00"]);
  });

  it("has none for what cannot be read, and none of none", () => {
    expect(nextRuns({}, new Date(0), 3)).toEqual([]);
    expect(nextRuns({ cron: "* * * * *" }, new Date(0), 0)).toEqual([]);
  });
});

describe("previousRun", () => {
  it.each([
    ["0 2 * * *", "2026-01-01T02:00:00Z", undefined, "2026-01-01T02:00"],
    ["0 2 * * *", "2026-01-01T01:59:59Z", undefined, "2025-12-31T02:00"],
    ["0 0 29 2 *", "2027-01-01T00:00:00Z", undefined, "2024-02-29T00:00"],
    ["30 2 * * *", "2026-03-29T12:00:00Z", BERLIN, "2026-03-29T01:00"],
    ["30 2 * * *", "2026-03-29T00:59:00Z", BERLIN, "2026-03-28T01:30"],
    ["30 2 * * *", "2026-10-25T12:00:00Z", BERLIN, "2026-10-25T00:30"],
    ["30 2 * * *", "2026-10-25T01:45:00Z", BERLIN, "2026-10-25T00:30"],
    ["30 * * * *", "2026-10-25T01:45:00Z", BERLIN, "2026-10-25T01:30"],
    ["30 * * * *", "2026-10-25T01:15:00Z", BERLIN, "2026-10-25T00:30"],
  ])("%j before %s in %s", (cron, before, zone, expected) => {
    expect(previous(cron, before, zone)).toBe(expected);
  });

  it("counts intervals, and has none before the anchor", () => {
    const anchor = new Date("2026-01-01T01:00:00Z");
    expect(previousRun({ interval: "6h" }, new Date("2026-01-01T12:00:00Z"), anchor)).toEqual(
      new Date("2026-01-01T07:00:00Z"),
    );
    expect(previousRun({ interval: "6h" }, new Date("2026-01-01T00:00:00Z"), anchor)).toBeUndefined();
  });
});
