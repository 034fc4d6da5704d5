import { beforeEach, describe, expect, it } from "vitest";
import { err, ok } from "../../../src/platform/index.ts";
import { bindings } from "../bindings.ts";
import { cookiesOf, loginPlatform, ORIGIN } from "./login-fixture.ts";
import { AUTH_ROUTES } from "../../../src/auth/routes.ts";

const SESSION = "__Host-entrepot_session";
const LOGIN = "__Host-entrepot_login";
const OWN_PAGE = { "sec-fetch-site": "same-origin", origin: ORIGIN };
const OTHER_SITE = { "sec-fetch-site": "cross-site", origin: "https://evil.example" };

let platform = loginPlatform();
beforeEach(() => {
  platform = loginPlatform();
});

function signIn(body: unknown = { username: "alice", password: "right" }, headers: Record<string, string> = OWN_PAGE) {
  return platform.ask("/auth/login", {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
}

/** Signs in as a browser does. */
async function browser() {
  const response = await signIn();
  const { csrfToken } = await response.json<{ csrfToken: string }>();
  return { cookie: `${SESSION}=${cookiesOf(response).get(SESSION)}`, csrfToken };
}

async function sessionCount(): Promise<number | null> {
  return bindings.DB.prepare("SELECT count(*) AS n FROM access_sessions").first<number>("n");
}

describe("POST /auth/login", () => {
  it("starts a session and gives its token", async () => {
    const response = await signIn();
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("set-cookie")).toMatch(
      /^__Host-entrepot_session=[A-Za-z0-9_-]{43}; Path=\/; Max-Age=3600; Secure; HttpOnly; SameSite=Lax$/,
    );
    const body = await response.json<{ csrfToken: string }>();
    expect(body).toEqual({ user: { name: "alice" }, csrfToken: expect.any(String) as string });
    const cookie = `${SESSION}=${cookiesOf(response).get(SESSION)}`;
    const session = await platform.ask("/auth/session", { headers: { cookie } });
    expect(await session.json()).toMatchObject({ user: { name: "alice" }, csrfToken: body.csrfToken });
    expect(platform.audited).toMatchObject([{ verb: "login", name: "alice", allowed: true, reason: "password" }]);
  });

  it("takes a form", async () => {
    const body = new URLSearchParams({ username: "jürgen", password: "right" });
    const response = await platform.ask("/auth/login", { method: "POST", body, headers: OWN_PAGE });
    expect(await response.json()).toMatchObject({ user: { name: "jürgen" } });
  });

  it("has no `Secure` and no prefix on plain http, which is loopback", async () => {
    const response = await platform.ask("http://127.0.0.1:5000/auth/login", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ username: "alice", password: "right" }),
    });
    expect(response.headers.get("set-cookie")).toMatch(
      /^entrepot_session=[A-Za-z0-9_-]{43}; Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax$/,
    );
  });

  it("is secure behind a front that ends TLS", async () => {
    platform = loginPlatform({ publicScheme: "https" });
    const response = await platform.ask("http://registry.example/auth/login", {
      method: "POST",
      headers: { "content-type": "application/json", origin: ORIGIN },
      body: JSON.stringify({ username: "alice", password: "right" }),
    });
    expect(response.headers.get("set-cookie")).toMatch(/^__Host-.*; Secure; HttpOnly; SameSite=Lax$/);
  });

  it("refuses a wrong password, without a dialog of the browser", async () => {
    const before = await sessionCount();
    const response = await signIn({ username: "alice", password: "wr0ng-s3cret" });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe(`Session realm="Entrepot"`);
    expect(response.headers.get("set-cookie")).toBeNull();
    expect(await sessionCount()).toBe(before);
    expect(JSON.stringify([platform.audited, await response.json()])).not.toContain("wr0ng-s3cret");
  });

  it("says how long someone who is locked out has to wait", async () => {
    platform.state.failure = { reason: "locked-out", retryAfterSeconds: 30 };
    const response = await signIn();
    expect([response.status, response.headers.get("retry-after")]).toEqual([429, "30"]);
  });

  it("makes no session of a key, which can be revoked", async () => {
    const response = await signIn({ username: "robot", password: "ent_key" });
    expect([response.status, response.headers.get("set-cookie")]).toEqual([401, null]);
  });

  it("asks the gate about the name and the password alone, from where they came", async () => {
    const { cookie } = await browser();
    await signIn(undefined, { ...OWN_PAGE, cookie, "cf-access-jwt-assertion": "x", "x-forwarded-for": "192.0.2.1" });
    const headers = platform.state.asked?.headers;
    expect(headers?.get("cookie")).toBeNull();
    expect(headers?.get("cf-access-jwt-assertion")).toBeNull();
    expect(headers?.get("x-forwarded-for")).toBe("192.0.2.1");
  });

  it("refuses to be called by another site, with the right password too", async () => {
    for (const headers of [OTHER_SITE, { origin: "https://evil.example" }, { origin: "null" }]) {
      const response = await signIn(undefined, headers);
      expect([response.status, response.headers.get("set-cookie")]).toEqual([403, null]);
    }
    expect((await signIn(undefined, {})).status).toBe(200);
  });

  it("never adopts a session that the browser had before", async () => {
    const planted = "A".repeat(43);
    const response = await signIn(undefined, { ...OWN_PAGE, cookie: `${SESSION}=${planted}` });
    const given = cookiesOf(response).get(SESSION);
    expect(given).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(given).not.toBe(planted);
    expect(await platform.sessions.find(planted)).toBeUndefined();
    const again = await signIn(undefined, { ...OWN_PAGE, cookie: `${SESSION}=${given}` });
    expect(cookiesOf(again).get(SESSION)).not.toBe(given);
  });

  it.each([
    [400, "application/json", "{"],
    [400, "application/json", "[]"],
    [400, "application/json", `{"username":"alice"}`],
    [400, "application/json", `{"username":"alice","password":1}`],
    [400, "application/json", `{"username":"a:b","password":"right"}`],
    [400, "application/x-www-form-urlencoded", "username=alice"],
    [413, "application/json", " ".repeat(20_000)],
    [415, "text/plain", `{"username":"alice","password":"right"}`],
  ])("answers %i to %s %j", async (status, type, body) => {
    const headers = { "content-type": type, ...OWN_PAGE };
    const response = await platform.ask("/auth/login", { method: "POST", headers, body });
    expect([response.status, response.headers.get("set-cookie")]).toEqual([status, null]);
  });
});

describe("GET /auth/session", () => {
  it("tells nobody how to sign in", async () => {
    const response = await platform.ask("/auth/session");
    expect(await response.json()).toEqual({
      user: null,
      providers: [{ name: "corp", displayName: "Corp <SSO>" }],
    });
    expect(response.headers.get("set-cookie")).toBeNull();
  });

  it("has the browser forget a session that has ended", async () => {
    const { cookie } = await browser();
    platform.time.now += 3_600_000;
    const response = await platform.ask("/auth/session", { headers: { cookie } });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ user: null });
    expect(cookiesOf(response).get(SESSION)).toBe("");
  });

  it("gives no token to whoever came without a session, and refuses a wrong password", async () => {
    const basic = (password: string) => ({ authorization: `Basic ${btoa(`alice:${password}`)}` });
    const right = await platform.ask("/auth/session", { headers: basic("right") });
    expect(await right.json()).toEqual({ user: { name: "alice" }, groups: [], credential: { type: "password" } });
    const { cookie } = await browser();
    const wrong = await platform.ask("/auth/session", { headers: { ...basic("wrong"), cookie } });
    expect(wrong.status).toBe(401);
  });
});

describe("a session cookie", () => {
  const change = (headers: Record<string, string>) => platform.ask("/auth/kubeconfig", { method: "POST", headers });

  it("changes something only with its token, from a page of this server", async () => {
    const [mine, other] = [await browser(), await browser()];
    const token = { "x-csrf-token": mine.csrfToken };
    const cases: [number, Record<string, string>][] = [
      [200, { ...OWN_PAGE, ...token }],
      [200, { origin: ORIGIN, ...token }],
      [403, { ...OTHER_SITE, ...token }],
      [403, { ...token }],
      [403, { ...OWN_PAGE }],
      [403, { ...OWN_PAGE, "x-csrf-token": "" }],
      [403, { ...OWN_PAGE, "x-csrf-token": other.csrfToken }],
      [403, { ...OTHER_SITE, "content-type": "application/x-www-form-urlencoded" }],
    ];
    for (const [status, headers] of cases) {
      expect((await change({ ...headers, cookie: mine.cookie })).status, JSON.stringify(headers)).toBe(status);
    }
  });

  it("is not needed by those who send a credential themselves", async () => {
    const response = await change({ authorization: `Basic ${btoa("alice:right")}` });
    expect([response.status, await response.text()]).toEqual([200, "alice"]);
  });

  it("of plain http does not count by https", async () => {
    const { cookie } = await browser();
    const response = await platform.ask("/auth/session", { headers: { cookie: cookie.replace("__Host-", "") } });
    expect(await response.json()).toMatchObject({ user: null });
  });
});

describe("POST /auth/logout", () => {
  it("ends the session, and the cookie is worth nothing any more", async () => {
    const { cookie, csrfToken } = await browser();
    const headers = { ...OWN_PAGE, cookie, "x-csrf-token": csrfToken };
    const response = await platform.ask("/auth/logout", { method: "POST", headers });
    expect(response.status).toBe(204);
    expect(response.headers.get("set-cookie")).toBe(`${SESSION}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax`);
    const after = await platform.ask("/auth/session", { headers: { cookie } });
    expect(await after.json()).toMatchObject({ user: null });
    expect((await platform.ask("/auth/logout", { method: "POST", headers })).status).toBe(204);
  });

  it("is not for other sites to do", async () => {
    const { cookie } = await browser();
    for (const headers of [OTHER_SITE, {}, OWN_PAGE]) {
      const response = await platform.ask("/auth/logout", { method: "POST", headers: { ...headers, cookie } });
      expect([response.status, response.headers.get("set-cookie")]).toEqual([403, null]);
    }
    const session = await platform.ask("/auth/session", { headers: { cookie } });
    expect(await session.json()).toMatchObject({ user: { name: "alice" } });
  });
});

describe("sign-in by a provider", () => {
  /** Begins a sign-in; resolves to what the browser then holds. */
  async function begin(query = "") {
    const response = await platform.ask(`/auth/login/corp${query}`);
    const cookie = cookiesOf(response).get(LOGIN) ?? "";
    const { state } = JSON.parse(
      new TextDecoder().decode(Uint8Array.fromBase64(cookie.split(".")[0] ?? "", { alphabet: "base64url" })),
    ) as { state: string };
    return { response, cookie: `${LOGIN}=${cookie}`, state };
  }
  const finish = (query: Record<string, string>, headers: Record<string, string> = {}, name = "corp") =>
    platform.ask(`/auth/callback/${name}?${new URLSearchParams(query)}`, { headers });

  it("sends the browser away and remembers it in a cookie", async () => {
    const { response } = await begin();
    expect(response.status).toBe(303);
    expect(response.headers.get("location")).toBe(
      `https://id.corp.example/authorize?redirect_uri=${encodeURIComponent(`${ORIGIN}/auth/callback/corp`)}`,
    );
    expect(response.headers.get("set-cookie")).toMatch(
      /^__Host-entrepot_login=[A-Za-z0-9._-]+; Path=\/; Max-Age=600; Secure; HttpOnly; SameSite=Lax$/,
    );
  });

  it("makes a user the first time, and starts a session", async () => {
    const { cookie, state } = await begin("?return_to=/ui?tab=1");
    platform.state.claims = ok({ subject: "s-1", username: "Bob", displayName: "Bob B", email: "b@corp.example" });
    const response = await finish({ code: "c", state, iss: "https://id.corp.example" }, { cookie });
    expect([response.status, response.headers.get("location")]).toEqual([303, "/ui?tab=1"]);
    expect(platform.state.created).toEqual([
      { name: "bob", displayName: "Bob B", email: "b@corp.example", issuer: "corp", subject: "s-1" },
    ]);
    expect(platform.state.finished).toMatchObject([
      { code: "c", redirectUri: `${ORIGIN}/auth/callback/corp`, responseIssuer: "https://id.corp.example" },
    ]);
    const cookies = cookiesOf(response);
    expect(cookies.get(LOGIN)).toBe("");
    const session = await platform.ask("/auth/session", { headers: { cookie: `${SESSION}=${cookies.get(SESSION)}` } });
    expect(await session.json()).toMatchObject({ user: { name: "bob" }, credential: { type: "session" } });
    expect(platform.audited).toMatchObject([{ verb: "login", name: "bob", reason: "federated" }]);
  });

  it("finds a user by subject, whatever they are called by now", async () => {
    platform.state.accounts.set("corp/s-1", { name: "robert", disabled: false });
    const { cookie, state } = await begin();
    const response = await finish({ code: "c", state }, { cookie });
    const secret = cookiesOf(response).get(SESSION) ?? "";
    expect(await platform.sessions.find(secret)).toMatchObject({ identity: "robert", issuer: "corp" });
    expect(platform.state.created).toEqual([]);
  });

  it.each([
    ["a name that is taken", { username: "taken" }],
    ["the first administrator's name", { username: "admin" }],
    ["the first administrator's name in other letters", { username: "ADMIN" }],
    ["a name that the settings have", { username: "htuser" }],
    ["a name of which nothing is left", { username: "💥" }],
    ["a user who is disabled", { subject: "disabled" }],
    ["an account that is linked to the first administrator", { subject: "admin" }],
  ])("refuses %s", async (_what, claims) => {
    platform.state.taken.add("taken");
    platform.state.accounts.set("corp/disabled", { name: "eve", disabled: true });
    platform.state.accounts.set("corp/admin", { name: "admin", disabled: false });
    platform.state.claims = ok({ subject: "s-2", username: "eve", ...claims });
    const { cookie, state } = await begin();
    const response = await finish({ code: "c", state }, { cookie });
    expect([response.status, cookiesOf(response).has(SESSION)]).toEqual([403, false]);
    expect(platform.state.created).toEqual([]);
  });

  it("makes no users unless it is told to", async () => {
    platform.state.issuers = platform.state.issuers.map((issuer) =>
      issuer.login === undefined ? issuer : { ...issuer, login: { ...issuer.login, createUsers: false } },
    );
    const { cookie, state } = await begin();
    expect((await finish({ code: "c", state }, { cookie })).status).toBe(403);
    expect(platform.state.created).toEqual([]);
  });

  it.each([
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "/\t/evil.example",
    "/.//evil.example",
    "javascript:alert(1)",
  ])("does not lead to %j", async (target) => {
    const { cookie, state } = await begin(`?return_to=${encodeURIComponent(target)}`);
    const response = await finish({ code: "c", state }, { cookie });
    expect(response.headers.get("location")).toBe("/");
  });

  it("refuses an answer that this browser did not ask for", async () => {
    const [mine, other] = [await begin(), await begin()];
    const cases: [Record<string, string>, Record<string, string>][] = [
      [{ code: "c", state: mine.state }, {}],
      [{ code: "c", state: other.state }, { cookie: mine.cookie }],
      [{ code: "c", state: "" }, { cookie: mine.cookie }],
      [{ code: "c" }, { cookie: mine.cookie }],
      [{ code: "c", state: mine.state }, { cookie: `${mine.cookie}x` }],
      [{ code: "c", state: mine.state }, { cookie: mine.cookie.replace("__Host-", "") }],
    ];
    for (const [query, headers] of cases) {
      const response = await finish(query, headers);
      expect([response.status, cookiesOf(response).has(SESSION)]).toEqual([400, false]);
    }
    expect(platform.state.finished).toEqual([]);
  });

  it.each([{}, { code: "" }, { code: "c", error: "access_denied" }])("refuses an answer of %j", async (query) => {
    const { cookie, state } = await begin();
    expect((await finish({ ...query, state }, { cookie })).status).toBe(403);
    expect(platform.state.finished).toEqual([]);
  });

  it("refuses a replay: the cookie is gone after the first answer, whatever came of it", async () => {
    const { cookie, state } = await begin();
    platform.state.claims = err({ reason: "wrong-issuer" });
    const first = await finish({ code: "c", state }, { cookie });
    expect([first.status, cookiesOf(first).get(LOGIN)]).toEqual([403, ""]);
    expect((await finish({ code: "c", state })).status).toBe(400);
  });

  it("refuses an answer that took too long, or that belongs to another provider", async () => {
    platform.state.issuers = [...platform.state.issuers, ...platform.state.issuers.map((i) => ({ ...i, name: "two" }))];
    const { cookie, state } = await begin();
    expect((await finish({ code: "c", state }, { cookie }, "two")).status).toBe(400);
    platform.time.now += 600_000;
    expect((await finish({ code: "c", state }, { cookie })).status).toBe(400);
    expect(platform.state.finished).toEqual([]);
  });

  it("repeats nothing of the request on its page", async () => {
    const { cookie, state } = await begin();
    const query = { error: "<script>alert(1)</script>", error_description: "<img src=x>", state };
    const response = await finish(query, { cookie, accept: "text/html,*/*" });
    expect([response.status, response.headers.get("content-type")]).toEqual([403, "text/html; charset=utf-8"]);
    expect(await response.text()).not.toMatch(/<script|<img|alert\(/);
  });

  it.each(["/auth/login/ci", "/auth/login/none", "/auth/callback/ci?code=c&state=s", "/auth/callback/none"])(
    "knows nothing of %s",
    async (path) => {
      expect((await platform.ask(path)).status).toBe(404);
    },
  );
});

describe("routes", () => {
  it.each(AUTH_ROUTES.map((route) => [`${route.method} ${route.path}`, route] as const))(
    "%s keeps its rule",
    async (_what, { method, path, rule, cacheable }) => {
      const response = await platform.ask(path.replace(":issuer", "corp"), { method });
      if (rule === "authenticated") {
        expect(response.status).toBe(401);
        expect(response.headers.get("www-authenticate")).toBe(`Basic realm="Entrepot"`);
      } else expect(response.status).not.toBe(404);
      expect(response.headers.get("cache-control")).toBe(cacheable ? "max-age=60" : "no-store");
    },
  );

  it.each([
    ["GET", "/auth/login", 405, "POST"],
    ["DELETE", "/auth/token", 405, "GET, HEAD, POST"],
    ["POST", "/auth/session", 405, "GET, HEAD"],
    ["HEAD", "/auth/session", 200, null],
    ["GET", "/auth", 404, null],
    ["GET", "/auth/", 404, null],
    ["GET", "/auth/other", 404, null],
    ["GET", "/auth/login/", 404, null],
    ["GET", "/auth/login/a/b", 404, null],
    ["GET", "/auth/login/%2e%2e", 404, null],
    ["GET", "/auth/login/..%2fsession", 404, null],
    ["GET", "/AUTH/session", 404, null],
    ["GET", "/auth/session/", 404, null],
    ["GET", "/.well-known/other", 404, null],
  ])("%s %s: %i", async (method, path, status, allow) => {
    const response = await platform.ask(path, { method });
    expect([response.status, response.headers.get("allow")]).toEqual([status, allow]);
  });

  it("answer anonymous and expired sessions alike where one has to be someone", async () => {
    const { cookie, csrfToken } = await browser();
    platform.time.now += 3_600_000;
    const headers = { ...OWN_PAGE, cookie, "x-csrf-token": csrfToken };
    expect((await platform.ask("/auth/kubeconfig", { method: "POST", headers })).status).toBe(401);
  });
});
