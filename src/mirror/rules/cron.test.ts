import { expect, it } from "vitest";
import { cronProblem } from "./cron.ts";
import { timeZoneProblem } from "./time-zone.ts";

it.each([
  "* * * * *",
  "0 2 * * *",
  " 0  2 * * * ",
  "*/5 0-6,12-18/2 1,15 JAN-dec sun,3",
  "0 0 29 feb *",
  "0 0 30 2 1",
  "@daily",
])("takes the cron expression %j", (text) => {
  expect(cronProblem(text)).toBeUndefined();
});

it.each([
  ["0 0 2 * * *", "five fields"],
  ["0 2 * *", "five fields"],
  ["@reboot", "five fields"],
  ["constructor", "five fields"],
  ["", "five fields"],
  ["60 * * * *", "as minute, which must be within 0 and 59"],
  ["* 24 * * *", "as hour, which must be within 0 and 23"],
  ["* * 0 * *", "as day of month"],
  ["* * * 13 *", "as month"],
  ["* * * * 8", "as day of week"],
  ["* * * * fun", "as day of week"],
  ["* * mon * *", "as day of month"],
  ["10-5 * * * *", "as minute"],
  ["5/10 * * * *", "a step follows"],
  ["*/0 * * * *", "a step follows"],
  ["-5 * * * *", "does not know"],
  ["1, * * * *", "does not know"],
  ["? * * * *", "does not know"],
  ["* * L * *", "as day of month"],
  ["0 0 30 2 *", "names a day that none of its months has"],
  ["0 0 31 4,6 *", "names a day that none of its months has"],
])("refuses the cron expression %j", (text, problem) => {
  expect(cronProblem(text)).toContain(problem);
});

it.each(["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+2"])("takes the time zone %j", (zone) => {
  expect(timeZoneProblem(zone)).toBeUndefined();
});

it.each(["", "Europe/Atlantis", "+02:00", "Mars", "Europe/Berlin ", "../etc"])("refuses the time zone %j", (zone) => {
  expect(timeZoneProblem(zone)).toContain("time zone");
});
