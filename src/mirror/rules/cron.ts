import { Cron } from "croner";
import { err, ok, type Result } from "../../platform/index.ts";

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
 * When a cron expression is due. It has five fields: minute, hour, day of month, month (or names), day of week (0 to 7,
 * or names), each a list of `*`, a value or a range, the first and last with a step if wanted. If both days are restricted,
 * one of them has to match. `@daily` and the like stand for such. A time that the clock of the zone skips is run at the
 * first one after it, one that it shows twice is run the first time only; but minutes or hours with `*` or a step go by
 * the time that passes.
 * @see crontab(5), POSIX and Vixie cron; cron(8) for changes of the clock
 */
export function parseCron(text: string, timeZone: string): Result<Cron, string> {
  const trimmed = text.trim();
  const texts = (NICKNAMES.get(trimmed) ?? trimmed).split(/\s+/);
  if (texts.length !== FIELDS.length) {
    return err(`must have five fields (minute, hour, day of month, month, day of week), not ${texts.length}`);
  }
  const sets: ReadonlySet<number>[] = [];
  // The library reads more than cron knows, and counts days and months from 0 in what it says of them.
  for (const [index, field] of FIELDS.entries()) {
    const values = parseField(texts[index] ?? "", field);
    if (!values.ok) return values;
    sets.push(values.value);
  }
  const [days, months] = [[...(sets[2] ?? [])], [...(sets[3] ?? [])]];
  // A field that begins with `*` does not restrict, even if it has a step.
  const isFree = (index: number) => texts[index]?.startsWith("*") === true;
  const domAndDow = isFree(2) || isFree(4);
  const longest = Math.max(...months.map((month) => MONTH_LENGTHS[month - 1] ?? 0));
  if (domAndDow && Math.min(...days) > longest) return err("names a day that none of its months has");
  const about = { timezone: timeZone, mode: "5-part", fixedTimeRule: "no-wildcard", domAndDow, paused: true } as const;
  return ok(new Cron(texts.join(" "), about));
}

/** What is wrong with a cron expression, if anything. */
export function cronProblem(text: string): string | undefined {
  const parsed = parseCron(text, "UTC");
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
