import { beforeAll, describe, expect, it } from "vitest";
import { createCsrf } from "./csrf.ts";

const OWN = "https://registry.example";
let key: CryptoKey;
beforeAll(async () => {
  key = await crypto.subtle.importKey(
    "raw",
    crypto.getRandomValues(new Uint8Array(32)),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign", "verify"],
  );
});

const csrf = createCsrf({ key: async () => key, publicScheme: undefined });

function ask(method: string, headers: Record<string, string>, at = OWN) {
  return csrf.isForged(new Request(`${at}/auth/x`, { method, headers }), "one");
}

describe("csrfFailure", () => {
  it.each(["GET", "HEAD", "OPTIONS"])("lets %s pass", async (method) => {
    expect(await ask(method, { "sec-fetch-site": "cross-site" })).toBe(false);
  });

  it.each([{ "sec-fetch-site": "same-origin" }, { origin: OWN }, { "sec-fetch-site": "same-origin", origin: OWN }])(
    "takes the right token with %j",
    async (headers) => {
      const token = await csrf.token("one");
      for (const method of ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"]) {
        expect(await ask(method, { ...headers, "x-csrf-token": token })).toBe(false);
      }
    },
  );

  it.each([
    ["no word of a browser", {}],
    ["a form on another site", { "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
    ["another host of the domain", { "sec-fetch-site": "same-site", origin: "https://x.registry.example" }],
    ["an address that the user typed", { "sec-fetch-site": "none" }],
    ["a redirect that another site began", { "sec-fetch-site": "cross-site", origin: OWN }],
    ["a sandboxed frame", { origin: "null" }],
    ["plain http", { origin: "http://registry.example" }],
    ["another port", { origin: "https://registry.example:8443" }],
    ["a longer host", { origin: "https://registry.example.evil.example" }],
    ["an origin in other letters", { origin: "https://REGISTRY.example" }],
    ["an empty origin", { origin: "" }],
  ])("refuses %s even with the right token", async (_what, headers) => {
    const token = await csrf.token("one");
    expect(await ask("POST", { ...(headers as Record<string, string>), "x-csrf-token": token })).toBe(true);
  });

  it("refuses a missing token, a wrong one and that of another session", async () => {
    const right = await csrf.token("one");
    const other = await csrf.token("two");
    const short = right.slice(0, -1);
    for (const token of [undefined, "", "x", "!", short, `${right}A`, other]) {
      const headers = { origin: OWN, ...(token === undefined ? {} : { "x-csrf-token": token }) };
      expect(await ask("POST", headers)).toBe(true);
    }
  });

  it.each([
    [{}, true],
    [{ origin: "https://evil.example" }, true],
    [{ origin: "null" }, true],
    [{ "sec-fetch-site": "same-origin" }, true],
    [{ origin: OWN }, false],
  ])("opens a WebSocket with %j, forged: %s", async (headers, forged) => {
    expect(await ask("GET", { ...(headers as Record<string, string>), upgrade: "WebSocket" })).toBe(forged);
  });

  it("knows its origin behind a front that ends TLS", async () => {
    const behind = createCsrf({ key: async () => key, publicScheme: "https" });
    const headers = { origin: OWN, "x-csrf-token": await behind.token("one") };
    const request = new Request("http://registry.example/auth/x", { method: "POST", headers });
    expect(await behind.isForged(request, "one")).toBe(false);
    expect(await csrf.isForged(request, "one")).toBe(true);
  });
});
