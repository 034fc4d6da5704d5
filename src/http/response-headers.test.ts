import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { strictTransport, withSecurityHeaders } from "./response-headers.ts";

const plain = { strictTransport: false };

describe("withSecurityHeaders", () => {
  it("keeps pages to this server", () => {
    const page = new Response("<p>", { headers: { "content-type": "text/html; charset=utf-8" } });
    expect(Object.fromEntries(withSecurityHeaders(page, { strictTransport: true }).headers)).toEqual({
      "content-type": "text/html; charset=utf-8",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "strict-transport-security": "max-age=31536000",
      "content-security-policy":
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    });
  });

  it("says of pages what `public/_headers` says of those that are served without the Worker", () => {
    const file = readFileSync("public/_headers", "utf8");
    const page = new Response("<p>", { headers: { "content-type": "text/html" } });
    const { headers } = withSecurityHeaders(page, plain);
    const lines = [...file.matchAll(/^ {2}([A-Za-z-]+): (.*)$/gm)];
    expect({
      ...Object.fromEntries(lines.map(([, name = "", value]) => [name.toLowerCase(), value])),
      "content-type": "text/html",
    }).toEqual(Object.fromEntries(headers));
  });

  it("lets data do nothing", () => {
    const { headers } = withSecurityHeaders(Response.json({}), plain);
    expect(headers.get("content-security-policy")).toBe("default-src 'none'; frame-ancestors 'none'");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("strict-transport-security")).toBeNull();
  });

  it("adds two headers to the registry's answers", () => {
    const answer = withSecurityHeaders(new Response(null), { strictTransport: true, registry: true });
    expect([...answer.headers.keys()]).toEqual(["strict-transport-security", "x-content-type-options"]);
  });

  it("leaves what the response says itself", () => {
    const own = new Response("x", { headers: { "content-security-policy": "sandbox" } });
    expect(withSecurityHeaders(own, plain).headers.get("content-security-policy")).toBe("sandbox");
  });

  it("does not change the policy of a page that the browser has", () => {
    const { headers } = withSecurityHeaders(new Response(null, { status: 304 }), plain);
    expect(headers.get("content-security-policy")).toBeNull();
    expect(headers.get("referrer-policy")).toBeNull();
  });

  it("copies a response whose headers cannot be changed", async () => {
    const fetched = await fetch("data:text/html,hello");
    expect(() => fetched.headers.set("a", "b")).toThrow(TypeError);
    const answer = withSecurityHeaders(fetched, plain);
    expect(answer.headers.get("x-frame-options")).toBe("DENY");
    expect(answer.headers.get("content-type")).toBe("text/html");
    expect(await answer.text()).toBe("hello");
  });
});

describe("strictTransport", () => {
  it.each([
    ["https://registry.example/v2/", undefined, true],
    ["http://registry.example/v2/", undefined, false],
    ["http://registry.example/v2/", "https", true],
    ["https://registry.example/v2/", "http", false],
    ["https://localhost/v2/", undefined, false],
    ["https://localhost:5000/v2/", undefined, false],
    ["https://a.localhost:5000/", undefined, false],
    ["https://localhost.example/", undefined, true],
    ["https://registry.example/localhost/", undefined, true],
  ] as const)("%s with %s: %s", (url, scheme, expected) => {
    expect(strictTransport(url, scheme)).toBe(expected);
  });
});
