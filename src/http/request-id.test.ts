import { describe, expect, it } from "vitest";
import { uuidv7Time } from "../platform/index.ts";
import { failureReporter, requestIds } from "./request-id.ts";

const NOW = Date.UTC(2026, 10, 20);
const RAY = "8f2b6c1d2e3f4a5b-FRA";
const request = (headers: Record<string, string> = {}) => new Request("http://registry/", { headers });

describe("requestIds", () => {
  it("gives each request one id, and no two the same", () => {
    const requestId = requestIds({ cloudflare: false, clock: () => NOW });
    const [one, two] = [request(), request()];
    expect(requestId(one)).toBe(requestId(one));
    expect(requestId(two)).not.toBe(requestId(one));
    expect(uuidv7Time(requestId(one))).toBe(NOW);
  });

  it("takes Cloudflare's ray, where Cloudflare is in front", () => {
    expect(requestIds({ cloudflare: true, clock: () => NOW })(request({ "cf-ray": RAY }))).toBe(RAY);
  });

  it.each([
    ["a ray that Cloudflare did not write", false, { "cf-ray": RAY }],
    ["what is no ray", true, { "cf-ray": "../../etc" }],
    ["an id of the client", true, { "x-request-id": "mine" }],
    ["an id of the client, on a self-host", false, { "x-request-id": "mine" }],
  ])("never takes %s", (_, cloudflare, headers) => {
    expect(uuidv7Time(requestIds({ cloudflare, clock: () => NOW })(request(headers)))).toBe(NOW);
  });
});

it("a failure is in the log under the id of its request", () => {
  const lines: unknown[] = [];
  const log = { debug() {}, info() {}, warn() {}, error: (...line: unknown[]) => void lines.push(line) };
  const requestId = requestIds({ cloudflare: false, clock: () => NOW });
  const [failed, error] = [request(), new Error("no")];
  expect(failureReporter(log, requestId)(failed, error)).toBe(requestId(failed));
  expect(lines).toEqual([["request.failed", { id: requestId(failed), error }]]);
});
