import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import type { Issuer, IssuerLogin } from "../directory.ts";
import { createAuthorizationCode, type LoginFailure } from "./authorization-code.ts";
import { NOW, published, type TestIssuer, testIssuer, testNetwork } from "./test-issuer.ts";

const ISSUER = "https://id.example.com";
const TOKEN = `${ISSUER}/token`;
const REDIRECT = "https://registry.example.com/auth/callback/company";
const METADATA = { authorization_endpoint: `${ISSUER}/authorize?tenant=a`, token_endpoint: TOKEN };
const ANSWER = { redirectUri: REDIRECT, code: "the code", verifier: "the verifier", nonce: "the nonce" };
const PERSON = {
  sub: "248289761001",
  aud: "client:1",
  nonce: "the nonce",
  preferred_username: "jane",
  name: "Jane Doe",
  email: "jane@example.com",
};

let company: TestIssuer;
beforeAll(async () => {
  company = await testIssuer(ISSUER);
});

function issuerWith(login: Partial<IssuerLogin> = {}): Issuer {
  return {
    name: "company",
    issuer: ISSUER,
    audiences: [],
    rules: [],
    login: {
      clientId: "client:1",
      scopes: ["profile", "email"],
      usernameClaim: "preferred_username",
      createUsers: true,
      displayName: "Company",
      ...login,
    },
  };
}

function signIn(options: { metadata?: Record<string, unknown>; token?: unknown; secret?: string } = {}) {
  const network = testNetwork({ ...published(company, { ...METADATA, ...options.metadata }), [TOKEN]: options.token });
  let last = 0;
  const flow = createAuthorizationCode({
    ...network,
    random: (length) => new Uint8Array(length).fill((last += 1)),
    secretOf: async ({ namespace, name }) => (name === "oidc" && namespace === "system" ? options.secret : undefined),
  });
  return { network, flow };
}

/** Signs in with a token of these claims. */
async function finish(
  claims: Record<string, unknown>,
  login: Partial<IssuerLogin> = {},
  options: { metadata?: Record<string, unknown>; responseIssuer?: string; token?: unknown } = {},
): Promise<unknown> {
  const token = options.token ?? { id_token: await company.token({ ...PERSON, ...claims }) };
  const { flow } = signIn({ token, ...(options.metadata === undefined ? {} : { metadata: options.metadata }) });
  const { responseIssuer } = options;
  const outcome = await flow.finishLogin({
    ...ANSWER,
    issuer: issuerWith(login),
    ...(responseIssuer === undefined ? {} : { responseIssuer }),
  });
  return outcome.ok ? outcome.value : outcome.error;
}

describe("beginLogin", () => {
  it("sends the browser away with a challenge", async () => {
    const started = await signIn().flow.beginLogin({ issuer: issuerWith(), redirectUri: REDIRECT });
    if (!started.ok) throw new Error(started.error.reason);
    const { url, state, nonce, verifier } = started.value;
    expect(new Set([state, nonce, verifier]).size).toBe(3);
    for (const text of [state, nonce, verifier]) expect(text).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(url.startsWith(`${ISSUER}/authorize?tenant=a&`)).toBe(true);
    expect(Object.fromEntries(new URL(url).searchParams)).toEqual({
      tenant: "a",
      response_type: "code",
      client_id: "client:1",
      redirect_uri: REDIRECT,
      scope: "openid profile email",
      state,
      nonce,
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
    });
    expect(url).not.toContain(verifier);
  });

  it.each<[string, Issuer, Record<string, unknown>, LoginFailure]>([
    ["nobody signs in by", { name: "ci", issuer: ISSUER, audiences: [], rules: [] }, {}, { reason: "no-login" }],
    [
      "says nothing of how to",
      issuerWith(),
      { authorization_endpoint: undefined },
      { reason: "no-login", detail: "no endpoint" },
    ],
    ["is another one", issuerWith(), { issuer: "https://evil.example.com" }, { reason: "wrong-issuer" }],
    [
      "would send people to an address without TLS",
      issuerWith(),
      { authorization_endpoint: "http://id.example.com/authorize" },
      { reason: "no-login", detail: "bad-document" },
    ],
    [
      "would send people to a script",
      issuerWith(),
      { authorization_endpoint: "javascript:alert(1)" },
      { reason: "no-login", detail: "bad-document" },
    ],
  ])("refuses an issuer that %s", async (_, issuer, metadata, error) => {
    const { flow } = signIn({ metadata });
    expect(await flow.beginLogin({ issuer, redirectUri: REDIRECT })).toEqual({ ok: false, error });
  });
});

describe("finishLogin", () => {
  const clientSecret = { namespace: "system", name: "oidc" };

  async function asked(login: Partial<IssuerLogin>, metadata: Record<string, unknown> = {}) {
    const { flow, network } = signIn({
      metadata,
      secret: "s+cr:t é",
      token: { id_token: await company.token(PERSON), token_type: "Bearer" },
    });
    const outcome = await flow.finishLogin({ ...ANSWER, issuer: issuerWith(login) });
    expect(outcome).toMatchObject({ ok: true });
    const request = network.requests.find(({ url }) => url === TOKEN);
    const body = Object.fromEntries(new URLSearchParams(await request?.text()));
    return { method: request?.method, authorization: request?.headers.get("authorization"), body };
  }

  const GRANT = {
    grant_type: "authorization_code",
    code: "the code",
    redirect_uri: REDIRECT,
    code_verifier: "the verifier",
  };

  it("redeems the code, as a client that has no secret", async () => {
    expect(await asked({})).toEqual({
      method: "POST",
      authorization: null,
      body: { ...GRANT, client_id: "client:1" },
    });
  });

  it("redeems the code with the secret in Authorization, form-encoded", async () => {
    const { authorization, body } = await asked({ clientSecret });
    expect(authorization).toBe(`Basic ${btoa("client%3A1:s%2Bcr%3At+%C3%A9")}`);
    expect(body).toEqual(GRANT);
  });

  it("redeems the code with the secret in the form, where the provider wants that", async () => {
    const { authorization, body } = await asked(
      { clientSecret },
      { token_endpoint_auth_methods_supported: ["client_secret_post", "private_key_jwt"] },
    );
    expect(authorization).toBeNull();
    expect(body).toEqual({ ...GRANT, client_id: "client:1", client_secret: "s+cr:t é" });
  });

  it("answers who signed in", async () => {
    const person = { subject: "248289761001", username: "jane", displayName: "Jane Doe", email: "jane@example.com" };
    expect(await finish({})).toEqual(person);
    expect(await finish({}, { usernameClaim: "email" })).toEqual({ ...person, username: "jane@example.com" });
    expect(await finish({ name: undefined, email_verified: false })).toEqual({
      subject: "248289761001",
      username: "jane",
    });
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["with another nonce", { nonce: "another" }, "nonce"],
    ["without a nonce", { nonce: undefined }, "nonce"],
    ["for another client", { aud: "client:2" }, "wrong-audience"],
    ["for several clients that does not say for whom", { aud: ["client:1", "client:2"] }, "azp"],
    ["given to another client", { aud: ["client:1", "client:2"], azp: "client:2" }, "azp"],
    ["of another issuer", { iss: "https://evil.example.com" }, "wrong-issuer"],
    ["that expired", { exp: NOW / 1000 - 61 }, "expired"],
    ["of nobody", { sub: "" }, "sub"],
  ])("refuses a token %s", async (_, claims, detail) => {
    expect(await finish(claims)).toEqual({ reason: "bad-token", detail });
  });

  it("refuses people without a name, or with an address that is not theirs for sure", async () => {
    expect(await finish({ preferred_username: undefined })).toEqual({ reason: "no-username" });
    expect(await finish({ preferred_username: ["jane"] })).toEqual({ reason: "no-username" });
    expect(await finish({ email_verified: false }, { usernameClaim: "email" })).toEqual({ reason: "no-username" });
  });

  it("refuses an answer that came from another provider", async () => {
    const says = { authorization_response_iss_parameter_supported: true };
    expect(await finish({}, {}, { responseIssuer: ISSUER })).toMatchObject({ username: "jane" });
    expect(await finish({}, {}, { responseIssuer: ISSUER, metadata: says })).toMatchObject({ username: "jane" });
    expect(await finish({}, {}, { responseIssuer: "https://evil.example.com" })).toEqual({ reason: "wrong-issuer" });
    expect(await finish({}, {}, { metadata: says })).toEqual({ reason: "wrong-issuer" });
  });

  it("does without a secret that is not there", async () => {
    expect(await finish({}, { clientSecret: { namespace: "system", name: "other" } })).toEqual({
      reason: "no-client-secret",
    });
  });

  it.each<[string, unknown, string]>([
    ["refuses the code", Response.json({ error: "invalid_grant" }, { status: 400 }), "400 invalid_grant"],
    ["has no token", {}, "200"],
    ["has a page", new Response("<html>", { status: 500 }), "500 without JSON"],
    ["has a token with an error", Response.json({ id_token: "x" }, { status: 401 }), "401"],
  ])("tells when the token endpoint %s", async (_, token, detail) => {
    expect(await finish({}, {}, { token })).toEqual({ reason: "code-refused", detail });
  });

  it("does not take the code elsewhere", async () => {
    const token = new Response(null, { status: 307, headers: { location: "https://evil.example.com/token" } });
    expect(await finish({}, {}, { token })).toEqual({ reason: "unreachable", detail: "bad-redirect" });
  });
});
