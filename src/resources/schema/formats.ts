import { matchesPattern } from "./patterns.ts";

type Check = (value: string) => boolean;

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const DATE_TIME = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.\d{1,9})?(?:[Zz]|[+-](\d{2}):(\d{2}))$/;
const GO_DURATION =
  /^[+-]?(?:0|(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h|d|w)(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h|d|w))*)$/;
const ISO_DURATION = /^P(?!$)(?:\d+(?:[.,]\d+)?[YMWD])*(?:T(?:\d+(?:[.,]\d+)?[HMS])+)?$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const UUID = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;
const HOSTNAME = /^(?=.{1,253}\.?$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.?)+$/i;
const EMAIL = "^[^\\s@]+@[^\\s@]+$";
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;

/**
 * Formats of texts that are checked; others are only documentation, as in Kubernetes.
 * @see Kubernetes, CustomResourceDefinition, "format"
 */
const TEXT_FORMATS: ReadonlyMap<string, Check> = new Map<string, Check>([
  ["date-time", isDateTime],
  ["date", isDate],
  // Kubernetes means Go's notation, zod that of ISO 8601.
  ["duration", (value) => GO_DURATION.test(value) || ISO_DURATION.test(value)],
  ["byte", (value) => value.length % 4 === 0 && BASE64.test(value)],
  ["uri", isUri],
  ["url", isUri],
  ["email", (value) => matchesPattern(EMAIL, value)],
  ["hostname", (value) => HOSTNAME.test(value)],
  ["ipv4", (value) => IPV4.test(value)],
  ["ipv6", isIpv6],
  ["uuid", (value) => UUID.test(value)],
]);

/** Whether a text has a format. */
export function textHasFormat(value: string, format: string): boolean {
  return TEXT_FORMATS.get(format)?.(value) ?? true;
}

/** Whether a number fits a format. Numbers of JSON beyond 2^53 have lost their last digits before they come here. */
export function numberHasFormat(value: number, format: string): boolean {
  switch (format) {
    case "int32":
      return Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31;
    case "int64":
      return Number.isInteger(value) && value >= -(2 ** 63) && value <= 2 ** 63;
    case "uint32":
      return Number.isInteger(value) && value >= 0 && value < 2 ** 32;
    case "uint64":
      return Number.isInteger(value) && value >= 0 && value <= 2 ** 64;
    default:
      return true;
  }
}

function isDate(value: string): boolean {
  const [, year = "", month = "", day = ""] = DATE.exec(value) ?? [];
  if (year === "") return false;
  // The last day of a month is day 0 of the next one.
  const last = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  return Number(month) >= 1 && Number(month) <= 12 && Number(day) >= 1 && Number(day) <= last;
}

/** RFC 3339 section 5.6. */
function isDateTime(value: string): boolean {
  const match = DATE_TIME.exec(value);
  if (match === null) return false;
  const [, date = "", hour, minute, second, offsetHour = "0", offsetMinute = "0"] = match;
  const isTime = Number(hour) < 24 && Number(minute) < 60 && Number(second) <= 60;
  return isTime && Number(offsetHour) < 24 && Number(offsetMinute) < 60 && isDate(date);
}

function isUri(value: string): boolean {
  return !/\s/.test(value) && URL.canParse(value);
}

function isIpv6(value: string): boolean {
  return /^[0-9a-f:.]+$/i.test(value) && URL.canParse(`http://[${value}]/`);
}
