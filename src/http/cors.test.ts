import { describe, expect, it } from "vitest";
import { ConfigError } from "../platform/index.ts";
import { createCors } from "./cors.ts";

const ORIGIN = "https://ui.example";

function request(method: string, headers: Record<string, string>) {
  return new Request("https://registry.example/v2/", { method, headers });
}

const preflight = (origin: string) =>
  request("OPTIONS", { origin, "access-control-request-method": "PUT", "access-control-request-headers": "x" });

describe("createCors", () => {
  it.each([undefined, "", " , "])("does nothing for %j", (setting) => {
    expect(createCors(setting)).toBeUndefined();
  });

  it.each([
    "ui.example",
    "https://ui.example/",
    "https://ui.example/path",
    "https://*.example",
    "null",
    "HTTPS://ui.example",
  ])("refuses %j, which no browser sends", (setting) => {
    expect(() => createCors(`https://ok.example,${setting}`)).toThrow(ConfigError);
  });
});

describe("preflight", () => {
  it("is answered for an origin that is allowed", () => {
    const headers = createCors(`https://other.example, ${ORIGIN}`)?.preflight(preflight(ORIGIN))?.headers;
    expect(headers?.get("access-control-allow-origin")).toBe(ORIGIN);
    expect(headers?.get("access-control-allow-methods")).toContain("DELETE");
    expect(headers?.get("access-control-allow-headers")).toMatch(/\bAuthorization\b/);
    expect(headers?.get("access-control-allow-headers")).not.toMatch(/csrf/i);
    expect(headers?.get("access-control-allow-credentials")).toBeNull();
    expect(headers?.get("vary")).toBe("Origin");
  });

  it("is answered for every origin by `*`", () => {
    const headers = createCors("*")?.preflight(preflight("https://any.example"))?.headers;
    expect(headers?.get("access-control-allow-origin")).toBe("*");
    expect(headers?.get("access-control-allow-credentials")).toBeNull();
  });

  it.each([
    ["another origin", preflight("https://evil.example")],
    ["an origin that begins alike", preflight(`${ORIGIN}.evil.example`)],
    ["the origin by http", preflight("http://ui.example")],
    ["a sandboxed frame", preflight("null")],
    ["OPTIONS that asks nothing", request("OPTIONS", { origin: ORIGIN })],
    ["OPTIONS of no browser", request("OPTIONS", { "access-control-request-method": "PUT" })],
    ["another method", request("GET", { origin: ORIGIN, "access-control-request-method": "PUT" })],
  ])("leaves %s to the surface", (_what, asked) => {
    expect(createCors(ORIGIN)?.preflight(asked)).toBeUndefined();
  });
});

describe("withCors", () => {
  it("shows an allowed origin what clients of the registry read", () => {
    const response = createCors(ORIGIN)?.withCors(request("GET", { origin: ORIGIN }), new Response("x"));
    expect(response?.headers.get("access-control-allow-origin")).toBe(ORIGIN);
    expect(response?.headers.get("access-control-expose-headers")).toMatch(/Docker-Content-Digest.*WWW-Authenticate/);
    expect(response?.headers.get("access-control-allow-credentials")).toBeNull();
  });

  it.each([
    [undefined, "Origin"],
    ["Accept", "Accept, Origin"],
    ["Accept, origin", "Accept, origin"],
    ["*", "*"],
    ["X-Origin-Kind", "X-Origin-Kind, Origin"],
  ])("adds to Vary: %j", (before, after) => {
    const headers = before === undefined ? {} : { vary: before };
    for (const origin of [ORIGIN, "https://evil.example"]) {
      const response = createCors(ORIGIN)?.withCors(request("GET", { origin }), new Response("x", { headers }));
      expect(response?.headers.get("vary")).toBe(after);
    }
  });

  it("shows others nothing", () => {
    for (const headers of [{}, { origin: "https://evil.example" }] as Record<string, string>[]) {
      const response = createCors(ORIGIN)?.withCors(request("GET", headers), new Response("x"));
      expect(response?.headers.get("access-control-allow-origin")).toBeNull();
    }
  });
});
