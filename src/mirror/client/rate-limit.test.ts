import { expect, it } from "vitest";
import { paceOf } from "./rate-limit.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");

it.each<[Record<string, string>, unknown]>([
  [{}, {}],
  [{ "retry-after": "3" }, { retryAfter: 3000 }],
  [{ "retry-after": " 0.5 " }, { retryAfter: 500 }],
  [{ "retry-after": "Thu, 01 Jan 2026 00:01:00 GMT" }, { retryAfter: 60_000 }],
  [{ "retry-after": "Wed, 31 Dec 2025 00:00:00 GMT" }, { retryAfter: 0 }],
  [{ "retry-after": "9999999999" }, { retryAfter: 86_400_000 }],
  [{ "retry-after": "Thu, 01 Jan 2099 00:00:00 GMT" }, { retryAfter: 86_400_000 }],
  [{ "retry-after": "-1" }, {}],
  [{ "retry-after": "soon" }, {}],
  [
    { "ratelimit-limit": "100;w=21600", "ratelimit-remaining": "76;w=21600" },
    { limit: 100, remaining: 76, window: 21_600_000 },
  ],
  [{ "ratelimit-remaining": "0" }, { remaining: 0 }],
  [{ "ratelimit-limit": "lots" }, {}],
])("%j", (headers, expected) => {
  expect(paceOf(new Headers(headers), NOW)).toEqual(expected);
});
