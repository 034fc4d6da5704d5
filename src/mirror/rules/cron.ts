import { err, ok, type Result } from "../../platform/index.ts";

const DAY = 86_400_000;
const HOUR = 3_600_000;
const MINUTE = 60_000;

/** A weekday on the 29th of February comes again within 40 years. */
const FARTHEST = 41 * 366 * DAY;

/** When a cron expression is due, as wall-clock time. */
export interface CronFields {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** Sunday is 0. */
  readonly weekdays: ReadonlySet<number>;
  /** Whether a day has to satisfy one of days and weekdays (both are given), instead of both. */
  readonly isEitherDay: boolean;
  /** Whether the hour is written with `*`: then it is about the time that passes, not about a time of day. */
  readonly isEveryHour: boolean;
}

interface Field {
  readonly name: string;
  readonly first: number;
  readonly last: number;
  readonly names?: readonly string[];
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const FIELDS: readonly [Field, Field, Field, Field, Field] = [
  { name: "minute", first: 0, last: 59 },
  { name: "hour", first: 0, last: 23 },
  { name: "day of month", first: 1, last: 31 },
  { name: "month", first: 1, last: 12, names: MONTHS },
  // 7 is Sunday too.
  { name: "day of week", first: 0, last: 7, names: WEEKDAYS },
];

/** By month, in a leap year. */
const MONTH_LENGTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** @see crontab(5), "Extensions" */
const NICKNAMES: ReadonlyMap<string, string> = new Map([
  ["@yearly", "0 0 1 1 *"],
  ["@annually", "0 0 1 1 *"],
  ["@monthly", "0 0 1 * *"],
  ["@weekly", "0 0 * * 0"],
  ["@daily", "0 0 * * *"],
  ["@midnight", "0 0 * * *"],
  ["@hourly", "0 * * * *"],
]);

/**
 * A cron expression of five fields: minute, hour, day of month, month (or names), day of week (0 to 7, or names), each
 * a list of `*`, a value or a range, the first and last with a step if wanted. If both days are restricted, one of them has
 * to match. `@daily` and the like stand for such. @see crontab(5), POSIX and Vixie cron
 */
export function parseCron(text: string): Result<CronFields, string> {
  const trimmed = text.trim();
  const texts = (NICKNAMES.get(trimmed) ?? trimmed).split(/\s+/);
  if (texts.length !== FIELDS.length) {
    return err(`must have five fields (minute, hour, day of month, month, day of week), not ${texts.length}`);
  }
  const sets: ReadonlySet<number>[] = [];
  for (const [index, field] of FIELDS.entries()) {
    const values = parseField(texts[index] ?? "", field);
    if (!values.ok) return values;
    sets.push(values.value);
  }
  const [minutes, hours, days, months, weekdays] = sets;
  if (!minutes || !hours || !days || !months || !weekdays) return err("must have five fields");
  const isFree = (index: number) => texts[index]?.startsWith("*") === true;
  const isEitherDay = !isFree(2) && !isFree(4);
  const longest = Math.max(...[...months].map((month) => MONTH_LENGTHS[month - 1] ?? 0));
  if (!isEitherDay && Math.min(...days) > longest) return err("names a day that none of its months has");
  return ok({
    minutes: [...minutes].sort((a, b) => a - b),
    hours: [...hours].sort((a, b) => a - b),
    days,
    months,
    weekdays: new Set([...weekdays].map((weekday) => weekday % 7)),
    isEitherDay,
    isEveryHour: isFree(1),
  });
}

/** What is wrong with a cron expression, if anything. */
export function cronProblem(text: string): string | undefined {
  const parsed = parseCron(text);
  return parsed.ok ? undefined : parsed.error;
}

function parseField(text: string, field: Field): Result<ReadonlySet<number>, string> {
  const values = new Set<number>();
  for (const item of text.split(",")) {
    const match = /^(?:\*|(\w+)(?:-(\w+))?)(?:\/(\d{1,4}))?$/.exec(item);
    if (match === null) return err(`has ${JSON.stringify(item)} as ${field.name}, which cron does not know`);
    const [, from, to, stepText] = match;
    const first = from === undefined ? field.first : valueOf(from, field);
    const last = from === undefined ? lastOf(field) : to === undefined ? first : valueOf(to, field);
    const step = stepText === undefined ? 1 : Number(stepText);
    if (first === undefined || last === undefined || first > last) {
      return err(`has ${JSON.stringify(item)} as ${field.name}, which must be within ${field.first} and ${field.last}`);
    }
    if (step === 0 || (stepText !== undefined && from !== undefined && to === undefined)) {
      return err(`has ${JSON.stringify(item)} as ${field.name}: a step follows * or a range and is at least 1`);
    }
    for (let value = first; value <= last; value += step) values.add(value);
  }
  return ok(values);
}

/** Of `*`: Sunday counts once, or steps would begin with it anew. */
function lastOf({ last }: Field): number {
  return last === 7 ? 6 : last;
}

function valueOf(text: string, { first, last, names }: Field): number | undefined {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0) return named + first;
  if (!/^\d{1,2}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= first && value <= last ? value : undefined;
}

/**
 * The wall-clock times that a cron expression names, from one on (that included) forwards or backwards, as if the wall
 * clock were UTC (milliseconds). Ends when none is found for 41 years.
 */
export function* wallTimes(fields: CronFields, from: number, direction: 1 | -1): Generator<number> {
  const ordered = <T>(values: readonly T[]) => (direction === 1 ? values : values.toReversed());
  const hours = ordered(fields.hours);
  const minutes = ordered(fields.minutes);
  let lastFound = from;
  let day = Math.floor(from / DAY) * DAY;
  while (Math.abs(day - lastFound) < FARTHEST) {
    const date = new Date(day);
    if (!fields.months.has(date.getUTCMonth() + 1)) {
      const year = date.getUTCFullYear();
      const month = date.getUTCMonth();
      day = direction === 1 ? Date.UTC(year, month + 1, 1) : Date.UTC(year, month, 0);
      continue;
    }
    if (isDue(fields, date)) {
      for (const hour of hours) {
        for (const minute of minutes) {
          const wall = day + hour * HOUR + minute * MINUTE;
          if ((wall - from) * direction < 0) continue;
          lastFound = wall;
          yield wall;
        }
      }
    }
    day += direction * DAY;
  }
}

function isDue({ days, weekdays, isEitherDay }: CronFields, date: Date): boolean {
  const isDay = days.has(date.getUTCDate());
  const isWeekday = weekdays.has(date.getUTCDay());
  return isEitherDay ? isDay || isWeekday : isDay && isWeekday;
}
