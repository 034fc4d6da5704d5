import { describe, expect, it } from "vitest";
import { credentialText, looksLikeApiKey, looksLikeJwt, parseCredential } from "./presented-credential.ts";

const SOURCES = { accessAssertion: true, secure: true };
const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;

function presented(headers: Record<string, string>, sources = SOURCES) {
  const shown = credentialText(new Headers(headers), sources);
  return shown === undefined ? undefined : parseCredential(shown);
}

describe("a credential", () => {
  it.each([
    [{ authorization: basic("alice:secret") }, { scheme: "basic", basic: { username: "alice", password: "secret" } }],
    [{ authorization: basic(":ent_x") }, { scheme: "basic", basic: { username: "", password: "ent_x" } }],
    [{ authorization: "Bearer a.b-c_d~e+f/==" }, { scheme: "bearer", token: "a.b-c_d~e+f/==" }],
    [{ authorization: "bearer  abc" }, { scheme: "bearer", token: "abc" }],
    [{ "cf-access-jwt-assertion": "a.b.c" }, { scheme: "access-assertion", assertion: "a.b.c" }],
    [{ cookie: "a=b; __Host-entrepot_session=xyz; c=d" }, { scheme: "session", cookie: "xyz" }],
    [
      { authorization: "Bearer abc", "cf-access-jwt-assertion": "a.b.c", cookie: "__Host-entrepot_session=xyz" },
      { scheme: "bearer", token: "abc" },
    ],
    [
      { "cf-access-jwt-assertion": "a.b.c", cookie: "__Host-entrepot_session=xyz" },
      { scheme: "access-assertion", assertion: "a.b.c" },
    ],
  ])("%j", (headers, value) => {
    expect(presented(headers)).toEqual({ ok: true, value });
  });

  it.each([
    "",
    " ",
    "Basic",
    "Basic ",
    "Bearer",
    "Bearer ",
    "Bearer a b",
    "Bearer a,b",
    "Bearer ü",
    "Negotiate abc",
    "AWS4-HMAC-SHA256 Credential=a",
    "alice:secret",
    "Basic !!!",
    basic("no colon"),
    basic("alice:"),
    basic("al\u0000ice:secret"),
    basic("alice:sec\nret"),
    `${basic("alice:secret")}, ${basic("bob:secret")}`,
    `Bearer abc, ${basic("bob:secret")}`,
    `${basic("alice:secret")} ${"x".repeat(20_000)}`,
    `Bearer ${"x".repeat(20_000)}`,
  ])("that is not well-formed is a wrong one: %j", (authorization) => {
    const shown = { source: "authorization", text: authorization } as const;
    expect(parseCredential(shown)).toMatchObject({ ok: false, error: { reason: "unauthenticated" } });
  });

  it("without a name and a password is none", () => {
    expect(presented({ authorization: basic(":") })).toBeUndefined();
    expect(presented({ authorization: basic(":"), cookie: "__Host-entrepot_session=xyz" })).toBeUndefined();
  });

  it("twice is a wrong one", () => {
    const headers = new Headers({ authorization: basic("alice:secret") });
    headers.append("authorization", basic("alice:secret"));
    const shown = credentialText(headers, SOURCES);
    expect(shown && parseCredential(shown)).toMatchObject({ ok: false });
    expect(presented({ cookie: "__Host-entrepot_session=a; __Host-entrepot_session=b" })).toMatchObject({ ok: false });
    expect(presented({ cookie: "__Host-entrepot_session=" })).toMatchObject({ ok: false });
  });

  it.each([
    [{}, SOURCES],
    [{ "cf-access-jwt-assertion": "a.b.c" }, { ...SOURCES, accessAssertion: false }],
    [{ cookie: "entrepot_session=planted-by-a-subdomain" }, SOURCES],
    [{ cookie: "__Host-entrepot_session=xyz" }, { ...SOURCES, secure: false }],
    [{ cookie: "x__Host-entrepot_session=xyz" }, SOURCES],
    [{ "x-remote-user": "admin", "x-forwarded-user": "admin", "remote-user": "admin" }, SOURCES],
    [{ "cf-access-authenticated-user-email": "admin@example.com", "x-auth-request-user": "admin" }, SOURCES],
    [{ "proxy-authorization": basic("admin:secret"), "x-authorization": "Bearer abc" }, SOURCES],
    [{ "impersonate-user": "admin", "impersonate-group": "system:masters" }, SOURCES],
  ])("is not in %j with %j", (headers, sources) => {
    expect(presented(headers, sources)).toBeUndefined();
  });

  it("over plain http is in the cookie without a prefix", () => {
    const value = presented({ cookie: "entrepot_session=xyz" }, { ...SOURCES, secure: false });
    expect(value).toEqual({ ok: true, value: { scheme: "session", cookie: "xyz" } });
  });
});

it.each([
  ["eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln", true],
  ["eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.", true],
  ["correct.horse.battery", false],
  ["eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0", false],
])("%s is a token: %s", (text, expected) => {
  expect(looksLikeJwt(text)).toBe(expected);
});

it("knows API keys by how they begin", () => {
  expect(looksLikeApiKey("ent_abcdefghijkl_x")).toBe(true);
  expect(looksLikeApiKey("enterprise")).toBe(false);
});
