import { describe, expect, it } from "vitest";
import { clearCookie, readCookie, setCookie } from "./session-cookie.ts";

describe("setCookie", () => {
  it("keeps the session from scripts, other hosts, plain http and other sites' posts", () => {
    expect(setCookie("session", "https", "value", 60)).toBe(
      "__Host-entrepot_session=value; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax",
    );
    expect(setCookie("login", "https", "value", 60)).toBe(
      "__Host-entrepot_login=value; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax",
    );
  });

  it("has no prefix on plain http, where browsers would refuse it", () => {
    expect(setCookie("session", "http", "value", 60)).toBe(
      "entrepot_session=value; Path=/; Max-Age=60; HttpOnly; SameSite=Lax",
    );
  });

  it("deletes what it set", () => {
    expect(clearCookie("session", "https")).toBe(
      "__Host-entrepot_session=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax",
    );
  });
});

describe("readCookie", () => {
  it.each([
    ["https", "__Host-entrepot_session=a", "a"],
    ["https", "x=1; __Host-entrepot_session=a; y=2", "a"],
    ["http", "entrepot_session=a", "a"],
    // A plain cookie can be set by anyone on the way, or by another host of the domain.
    ["https", "entrepot_session=a", undefined],
    ["http", "__Host-entrepot_session=a", undefined],
    ["https", "x__Host-entrepot_session=a", undefined],
    ["https", "__Host-entrepot_session=a; __Host-entrepot_session=b", undefined],
    ["https", "__host-entrepot_session=a", undefined],
    ["https", "__Host-entrepot_session=", undefined],
    ["https", "", undefined],
  ] as const)("%s: %j is %j", (scheme, cookie, value) => {
    expect(readCookie(new Request("https://registry/", { headers: { cookie } }), "session", scheme)).toBe(value);
  });
});
