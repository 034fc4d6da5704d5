import { describe, expect, it } from "vitest";
import { requestTargets } from "./request-target.ts";

const isWellFormed = requestTargets();
/** As the runtime gives it: the URL is not parsed before it is asked for. */
const request = (url: string, host?: string) =>
  ({ url, headers: new Headers(host === undefined ? {} : { host }) }) as unknown as Request;

describe("a request's target", () => {
  it.each([
    ["http://localhost/v2/", "localhost"],
    ["http://127.0.0.1:8787/", "127.0.0.1:8787"],
    ["http://[::1]:8787/v2/", "[::1]:8787"],
    ["https://registry_1.example.com/apis?watch=true", "registry_1.example.com"],
    ["https://registry.example/v2/", undefined],
  ])("is well-formed: %s", (url, host) => {
    for (let turn = 0; turn < 2; turn += 1) expect(isWellFormed(request(url, host))).toBe(true);
  });

  it.each([
    ["two Host headers", "http://localhost, evil.example/v2/", "localhost, evil.example"],
    ["OPTIONS *", "http://localhost*", "localhost"],
    ["a target without a slash", "http://localhostv2", "localhost"],
    ["a space", "http://lo cal/v2/", "lo cal"],
    ["brackets", "http://<host>/v2/", "<host>"],
    ["a user", "http://user@localhost/v2/", "user@localhost"],
    ["a slash", "http://localhost/evil/v2/", "localhost/evil"],
    ["a port that there is not", "http://localhost:99999/v2/", "localhost:99999"],
    ["an address that is none", "http://300.1.1.1/v2/", "300.1.1.1"],
    ["no name", "http:///v2/", ""],
  ])("is not: %s", (_what, url, host) => {
    for (let turn = 0; turn < 2; turn += 1) expect(isWellFormed(request(url, host))).toBe(false);
  });
});
