import { decodeJwt, decodeProtectedHeader } from "jose";
import { describe, expect, it } from "vitest";
import { ANONYMOUS, REFRESH_TOKENS_PER_IDENTITY } from "../access/index.ts";
import { basic, NOW, tokenWorld } from "../access/token/token-world.fixture.ts";
import { jwksHandler, tokenHandler } from "./token-http.ts";

const SCOPE = "repository:team-a/app:pull,push";
const EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token";

interface Answer {
  readonly token: string;
  readonly refresh_token?: string;
  readonly [name: string]: unknown;
}

function world(options?: Parameters<typeof tokenWorld>[0]) {
  const made = tokenWorld(options);
  const handle = tokenHandler(made.services);
  const get = (query: string, authorization?: string, headers: Record<string, string> = {}) =>
    handle(
      new Request(`http://registry/auth/token?${query}`, {
        headers: { ...headers, ...(authorization !== undefined && { authorization }) },
      }),
    );
  const post = (form: Record<string, string>, headers: Record<string, string> = {}) =>
    handle(
      new Request("http://registry/auth/token", {
        method: "POST",
        body: new URLSearchParams({ service: "entrepot", client_id: "oras-go", ...form }),
        headers,
      }),
    );
  const answerOf = async (response: Response): Promise<Answer> => response.json();
  /** Whether a token is good for something at `/v2`: 200, 401 or 403. */
  const use = async (token: string, verb: "pull" | "push" | "delete", repository: string) => {
    const identity = await made.gate.authenticate(
      new Request("http://registry/v2/", { headers: { authorization: `Bearer ${token}` } }),
    );
    if (!identity.ok) return 401;
    return made.gate.allows(identity.value, verb, repository) ? 200 : 403;
  };
  return { ...made, handle, get, post, answerOf, use };
}

describe("GET /auth/token", () => {
  it("is the docker dance: a token for what the challenge asks, good for that and no more", async () => {
    const { get, answerOf, use } = world();
    const scope = "repository:team-a/app:pull,push";
    const response = await get(`account=alice&service=entrepot&scope=${scope}`, basic("alice", "right"));
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const answer = await answerOf(response);
    expect(answer).toEqual({
      token: expect.any(String),
      access_token: answer.token,
      token_type: "Bearer",
      scope: SCOPE,
      expires_in: 300,
      issued_at: new Date(NOW).toISOString(),
    });
    expect(await use(answer.token, "push", "team-a/app")).toBe(200);
    expect(await use(answer.token, "pull", "team-a/app")).toBe(200);
    expect(await use(answer.token, "delete", "team-a/app")).toBe(403);
    expect(await use(answer.token, "pull", "team-b/app")).toBe(403);
  });

  it("signs the claims of the contract", async () => {
    const { get, answerOf, signingKeys } = world();
    const { token } = await answerOf(await get(`service=entrepot&scope=${SCOPE}`, basic("alice", "right")));
    const seconds = Math.floor(NOW / 1000);
    expect(decodeProtectedHeader(token)).toEqual({ alg: "ES256", typ: "JWT", kid: (await signingKeys.signer()).kid });
    expect(decodeJwt(token)).toEqual({
      iss: "entrepot",
      sub: "alice",
      aud: "entrepot",
      iat: seconds,
      nbf: seconds,
      exp: seconds + 300,
      jti: expect.any(String),
      access: [{ type: "repository", name: "team-a/app", actions: ["pull", "push"] }],
      groups: [],
      cred: { type: "password", id: String(NOW - 1000) },
    });
  });

  it.each([
    ["scope=repository:team-a/app:*", "repository:team-a/app:pull,push,delete"],
    ["scope=repository:team-b/app:pull,push", "repository:team-b/app:pull"],
    [
      "scope=repository:team-a/app:pull&scope=repository:team-b/app:pull",
      "repository:team-a/app:pull repository:team-b/app:pull",
    ],
    [
      "scope=repository:team-a/app:pull%20repository:team-b/app:pull",
      "repository:team-a/app:pull repository:team-b/app:pull",
    ],
    ["scope=repository:secret/app:pull", ""],
    ["scope=nonsense", ""],
    ["scope=", ""],
    ["", ""],
    ["scope=registry:catalog:*", ""],
  ])("grants what is allowed of %j", async (query, scope) => {
    const { get, answerOf } = world();
    const response = await get(`service=entrepot&${query}`, basic("alice", "right"));
    expect(response.status).toBe(200);
    expect(await answerOf(response)).toMatchObject({ scope });
  });

  it("grants the catalog to those who may list", async () => {
    const { get, answerOf } = world();
    const { scope, token } = await answerOf(await get("scope=registry:catalog:*", basic("admin", "from-settings")));
    expect(scope).toBe("registry:catalog:*");
    expect(decodeJwt(token)["groups"]).toEqual(["system:masters"]);
  });

  it("gives anyone a token to pull what is public, and never a refresh token", async () => {
    const { get, answerOf, use } = world();
    const query = `service=entrepot&offline_token=true&scope=repository:public/app:pull,push&scope=${SCOPE}`;
    const answer = await answerOf(await get(query));
    expect(answer).toMatchObject({ scope: "repository:public/app:pull" });
    expect(answer.refresh_token).toBeUndefined();
    expect(decodeJwt(answer.token)).toMatchObject({ sub: ANONYMOUS, groups: [], cred: { type: "none" } });
    expect(await use(answer.token, "pull", "public/app")).toBe(200);
    expect(await use(answer.token, "push", "public/app")).toBe(403);
  });

  it("takes API keys, as password and as Bearer", async () => {
    const { get, answerOf } = world();
    for (const authorization of [basic("token", "ent_key"), "Bearer ent_key"]) {
      expect(await answerOf(await get(`scope=${SCOPE}`, authorization))).toMatchObject({ scope: SCOPE });
    }
  });

  it("refuses a wrong password so that docker and OAuth2 clients understand", async () => {
    const response = await world().get("service=entrepot", basic("alice", "wrong"));
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe('Basic realm="Entrepot"');
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.json()).toEqual({
      error: "invalid_grant",
      error_description: "incorrect username or password",
      errors: [{ code: "UNAUTHORIZED", message: "incorrect username or password" }],
      details: "incorrect username or password",
    });
  });

  it("takes none of its own tokens: no token widens itself", async () => {
    const { get, post, answerOf } = world();
    const { token } = await answerOf(await get("scope=repository:team-a/app:pull", basic("alice", "right")));
    expect((await get(`scope=${SCOPE}`, `Bearer ${token}`)).status).toBe(401);
    expect((await get(`scope=${SCOPE}`, basic("alice", token))).status).toBe(401);
    const exchange = { grant_type: EXCHANGE, subject_token: token, subject_token_type: ID_TOKEN, scope: SCOPE };
    expect((await post(exchange)).status).toBe(401);
    expect((await post({ grant_type: "refresh_token", refresh_token: token, scope: SCOPE })).status).toBe(401);
  });

  it("does not look at cookies and assertions", async () => {
    const { get, answerOf, seen } = world();
    const headers = { cookie: "session=x", "cf-access-jwt-assertion": "x", "x-forwarded-for": "192.0.2.1" };
    const { token } = await answerOf(await get(`scope=${SCOPE}`, undefined, headers));
    expect(decodeJwt(token).sub).toBe(ANONYMOUS);
    expect([...(seen[0]?.headers ?? [])]).toEqual([["x-forwarded-for", "192.0.2.1"]]);
  });

  it("makes no token that outlives its credential", async () => {
    const { get, answerOf, keys, time } = world();
    keys.set("ent_short", { id: "short", identity: "alice", expiresAt: NOW + 90_000 });
    const answer = await answerOf(await get(`scope=${SCOPE}`, basic("x", "ent_short")));
    expect(answer).toMatchObject({ expires_in: 90 });
    expect(decodeJwt(answer.token).exp).toBe(Math.floor((time.now + 90_000) / 1000));
  });

  it("says when to come back if there were too many wrong passwords", async () => {
    const { get, locked } = world();
    locked.seconds = 32;
    const response = await get("service=entrepot", basic("alice", "right"));
    expect([response.status, response.headers.get("retry-after")]).toEqual([429, "32"]);
  });

  it("keeps tokens short enough to be taken", async () => {
    const { get, answerOf, rights, use } = world();
    const names = Array.from({ length: 60 }, (_, index) => `${"long-name-".repeat(12)}${index}`);
    for (const name of names) rights.get("alice")?.add(`pull ${name}`);
    const scope = names.map((name) => `repository:${name}:pull`).join("%20");
    const { token } = await answerOf(await get(`scope=${scope}`, basic("alice", "right")));
    expect(token.length).toBeLessThan(8192);
    expect(await use(token, "pull", names[0] ?? "")).toBe(200);
    expect(await use(token, "pull", names[59] ?? "")).toBe(403);
  });
});

describe("POST /auth/token", () => {
  it("takes a password", async () => {
    const { post, answerOf } = world();
    const response = await post({ grant_type: "password", username: "alice", password: "right", scope: SCOPE });
    expect(response.status).toBe(200);
    expect(await answerOf(response)).toMatchObject({ scope: SCOPE, token_type: "Bearer", expires_in: 300 });
  });

  it("asks the gate as the client, with no cookie and the password only", async () => {
    const { post, seen } = world();
    const form = { grant_type: "password", username: "zoë", password: "pä:ss" };
    expect((await post(form, { cookie: "session=x", authorization: basic("alice", "right") })).status).toBe(401);
    expect(seen[0]?.headers.get("authorization")).toBe(`Basic ${Buffer.from("zoë:pä:ss").toString("base64")}`);
    expect(seen[0]?.headers.has("cookie")).toBe(false);
  });

  it("takes the identity token of a CI job, until that ends, and makes no refresh token of it", async () => {
    const { post, answerOf } = world();
    const form = { grant_type: EXCHANGE, subject_token: "ci.identity.token", subject_token_type: ID_TOKEN };
    const answer = await answerOf(await post({ ...form, scope: SCOPE, access_type: "offline" }));
    expect(answer).toMatchObject({
      scope: SCOPE,
      expires_in: 120,
      issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
    });
    expect(answer.refresh_token).toBeUndefined();
    expect((await post({ ...form, subject_token: "right" })).status).toBe(400);
  });

  it.each<[string, Record<string, string>, number, string]>([
    ["a wrong password", { grant_type: "password", username: "alice", password: "wrong" }, 401, "invalid_grant"],
    ["a name with a colon", { grant_type: "password", username: "alice:right", password: "x" }, 401, "invalid_grant"],
    ["no password", { grant_type: "password", username: "alice" }, 400, "invalid_request"],
    ["no grant", {}, 400, "unsupported_grant_type"],
    ["another grant", { grant_type: "client_credentials" }, 400, "unsupported_grant_type"],
    [
      "another service",
      { grant_type: "password", service: "other", username: "alice", password: "right" },
      400,
      "invalid_target",
    ],
    [
      "a long form",
      { grant_type: "password", username: "alice", password: "x".repeat(40_000) },
      413,
      "invalid_request",
    ],
    [
      "an unknown refresh token",
      { grant_type: "refresh_token", refresh_token: `entr_${"A".repeat(43)}` },
      401,
      "invalid_grant",
    ],
    ["no refresh token", { grant_type: "refresh_token", refresh_token: "x' OR '1" }, 401, "invalid_grant"],
    [
      "another subject",
      { grant_type: EXCHANGE, subject_token: "a.b.c", subject_token_type: "saml" },
      400,
      "invalid_request",
    ],
  ])("refuses %s", async (_name, form, status, error) => {
    const response = await world().post(form);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error, errors: [{ code: expect.any(String) }] });
  });

  it("refuses a body that is no form", async () => {
    const request = new Request("http://registry/auth/token", {
      method: "POST",
      body: "{}",
      headers: { "content-type": "application/json" },
    });
    expect((await world().handle(request)).status).toBe(400);
  });
});

describe("refresh tokens", () => {
  async function withRefresh(authorization = basic("alice", "right")) {
    const made = world();
    const query = `service=entrepot&client_id=docker&offline_token=true&scope=repository:team-a/app:pull`;
    const { refresh_token: token } = await made.answerOf(await made.get(query, authorization));
    const refresh = (form: Record<string, string> = {}) =>
      made.post({ grant_type: "refresh_token", refresh_token: token ?? "", ...form });
    return { ...made, token, refresh };
  }

  it("are opaque, and kept as a hash", async () => {
    const { token, refreshRows } = await withRefresh();
    expect(token).toMatch(/^entr_[\w-]{43}$/);
    expect(refreshRows).toEqual([
      expect.objectContaining({
        identity: "alice",
        service: "entrepot",
        clientId: "docker",
        expiresAt: NOW + 3_600_000,
      }),
    ]);
    expect(JSON.stringify(refreshRows)).not.toContain(token);
    expect(REFRESH_TOKENS_PER_IDENTITY).toBeGreaterThan(10);
  });

  it("give tokens for what one may do now, not more, and do not change", async () => {
    const { token, refresh, answerOf, rights, use } = await withRefresh();
    const wide = "repository:team-a/app:pull,push repository:secret/app:pull registry:catalog:*";
    const first = await answerOf(await refresh({ scope: wide, access_type: "offline" }));
    expect(first).toMatchObject({ scope: SCOPE, refresh_token: token });
    expect(await use(first.token, "pull", "secret/app")).toBe(403);
    rights.set("alice", new Set(["pull team-a/app"]));
    expect(await answerOf(await refresh({ scope: wide }))).toMatchObject({ scope: "repository:team-a/app:pull" });
  });

  it("are used by other clients than the one that logged in, as those that read docker's file", async () => {
    const { refresh } = await withRefresh();
    expect((await refresh({ client_id: "buildkit-client" })).status).toBe(200);
  });

  it.each<[string, (made: Awaited<ReturnType<typeof withRefresh>>) => void]>([
    ["expired", ({ time }) => void (time.now += 3_600_000)],
    [
      "of a password that was changed",
      ({ passwords }) => void passwords.set("alice", { text: "new", id: String(NOW) }),
    ],
    ["of a password that was removed", ({ passwords }) => void passwords.delete("alice")],
    ["of an account that is disabled or gone", ({ disabled }) => void disabled.add("alice")],
    ["of another service", ({ services }) => void Object.assign(services.refresh, { service: "other" })],
  ])("are dead when %s", async (_name, change) => {
    const made = await withRefresh();
    expect((await made.refresh()).status).toBe(200);
    change(made);
    expect((await made.refresh()).status).toBe(401);
    expect(made.failures).toMatchObject([{ reason: expect.stringContaining("refresh token: "), status: 401 }]);
  });

  it("are dead when the key is revoked", async () => {
    const made = await withRefresh(basic("", "ent_key"));
    expect((await made.refresh()).status).toBe(200);
    made.keys.clear();
    expect((await made.refresh()).status).toBe(401);
  });

  it("of a password in settings are dead when that is another", async () => {
    const made = await withRefresh(basic("admin", "from-settings"));
    expect((await made.refresh()).status).toBe(200);
    made.passwords.set("admin", { text: "another", id: "admin-2" });
    expect((await made.refresh()).status).toBe(401);
  });

  it("are no credential elsewhere", async () => {
    const { token, get } = await withRefresh();
    expect((await get("", `Bearer ${token}`)).status).toBe(401);
    expect((await get("", basic("alice", token ?? ""))).status).toBe(401);
  });
});

it.each([
  ["PUT", 405],
  ["HEAD", 405],
  ["DELETE", 405],
])("%s answers %d", async (method, status) => {
  const response = await world().handle(new Request("http://registry/auth/token", { method }));
  expect([response.status, response.headers.get("allow")]).toEqual([status, "GET, POST"]);
});

it("an unknown service is refused before any password is looked at", async () => {
  const { get, seen } = world();
  expect((await get("service=other", basic("alice", "right"))).status).toBe(400);
  expect((await get("service=entrepot&service=other")).status).toBe(400);
  expect(seen).toEqual([]);
});

it("with an external token service there is neither token nor key here", async () => {
  const { get, post, services } = world({ external: true });
  expect((await get("service=entrepot")).status).toBe(404);
  expect((await post({ grant_type: "password", username: "alice", password: "right" })).status).toBe(404);
  expect((await jwksHandler(services)(new Request("http://registry/.well-known/jwks.json"))).status).toBe(404);
});

it("publishes its keys", async () => {
  const { get, services } = world();
  await get("service=entrepot");
  const response = await jwksHandler(services)(new Request("http://registry/.well-known/jwks.json"));
  expect(response.headers.get("cache-control")).toContain("max-age=300");
  const text = await response.text();
  expect(JSON.parse(text)).toMatchObject({ keys: [{ alg: "ES256", kty: "EC" }] });
  expect(text).not.toContain('"d"');
});
