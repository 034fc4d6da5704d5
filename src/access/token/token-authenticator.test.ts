import { exportJWK, exportSPKI, generateKeyPair, importJWK, SignJWT, UnsecuredJWT } from "jose";
import { describe, expect, it } from "vitest";
import { toBase64Url } from "../../platform/index.ts";
import { NOW, tokenWorld } from "./token-world.fixture.ts";

const SECONDS = Math.floor(NOW / 1000);

/** A world, the claims of a genuine token of alice, and what the authenticator makes of any text. */
async function world() {
  const made = tokenWorld();
  const { kid, key } = await made.signingKeys.signer();
  const claims: Record<string, unknown> = {
    iss: "entrepot",
    sub: "alice",
    aud: "entrepot",
    iat: SECONDS,
    nbf: SECONDS,
    exp: SECONDS + 300,
    jti: "token-1",
    access: [{ type: "repository", name: "team-a/app", actions: ["pull"] }],
    groups: [],
    cred: { type: "api-key", id: "key1" },
  };
  const sign = (changed: Record<string, unknown> = {}, header: Record<string, unknown> = {}, signer = key) =>
    new SignJWT({ ...claims, ...changed })
      .setProtectedHeader({ alg: "ES256", typ: "JWT", kid, ...header })
      .sign(signer);
  const take = (token: string) =>
    made.authenticator.authenticate({ scheme: "bearer", token }, new Request("http://registry/v2/"));
  return { ...made, kid, key, claims, sign, take };
}

type World = Awaited<ReturnType<typeof world>>;

const encode = (value: unknown) => toBase64Url(new TextEncoder().encode(JSON.stringify(value)));

async function jwk(of: World): Promise<Record<string, unknown>> {
  return { ...(await of.signingKeys.publicKeys()).keys[0] };
}

async function hmac(of: World, secret: string): Promise<string> {
  return of.sign(
    {},
    { alg: "HS256" },
    await crypto.subtle.importKey("raw", new TextEncoder().encode(secret), { name: "HMAC", hash: "SHA-256" }, false, [
      "sign",
    ]),
  );
}

it("takes a token: its subject, what it is limited to, and until when", async () => {
  const { sign, take } = await world();
  expect(await take(await sign())).toEqual({
    ok: true,
    value: {
      name: "alice",
      groups: [],
      credential: { type: "token", id: "token-1" },
      scope: [{ type: "repository", name: "team-a/app", actions: ["pull"] }],
      expiresAt: (SECONDS + 300) * 1000,
    },
  });
});

describe("refuses", () => {
  it.each<[string, (of: World) => Promise<string>]>([
    ["another audience", ({ sign }) => sign({ aud: "other" })],
    ["no audience", ({ sign }) => sign({ aud: undefined })],
    ["alg none", async ({ claims }) => new UnsecuredJWT(claims).encode()],
    [
      "alg none with the signature of a genuine token",
      async ({ sign, claims, kid }) =>
        `${encode({ alg: "none", typ: "JWT", kid })}.${encode(claims)}.${(await sign()).split(".")[2]}`,
    ],
    ["alg NONE", async ({ claims, kid }) => `${encode({ alg: "NONE", typ: "JWT", kid })}.${encode(claims)}.`],
    [
      "HS256 with the public key as PEM",
      async (of) => {
        const key = await importJWK(await jwk(of), "ES256", { extractable: true });
        return hmac(of, key instanceof Uint8Array ? "" : await exportSPKI(key));
      },
    ],
    ["HS256 with the public key as JWK", async (of) => hmac(of, JSON.stringify(await jwk(of)))],
    ["expired", ({ sign }) => sign({ exp: SECONDS - 61 })],
    ["no expiry", ({ sign }) => sign({ exp: undefined })],
    ["not yet valid", ({ sign }) => sign({ nbf: SECONDS + 62 })],
    ["an unknown kid", ({ sign }) => sign({}, { kid: "A".repeat(43) })],
    ["no kid", ({ sign }) => sign({}, { kid: undefined })],
    ["a kid that is a path", ({ sign }) => sign({}, { kid: "../../../dev/null" })],
    ["a kid that is SQL", ({ sign }) => sign({}, { kid: "' UNION SELECT '" })],
    [
      "the kid of a key that did not sign",
      async ({ sign }) => sign({}, {}, (await generateKeyPair("ES256")).privateKey),
    ],
    [
      "a key of its own in jwk",
      async ({ sign }) => {
        const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
        return sign({}, { jwk: await exportJWK(publicKey) }, privateKey);
      },
    ],
    [
      "a key of its own by jku",
      async ({ sign }) =>
        sign({}, { jku: "https://evil.example/keys", kid: "evil" }, (await generateKeyPair("ES256")).privateKey),
    ],
    [
      "a key of its own in x5c",
      async ({ sign }) => sign({}, { x5c: ["MIIB"], kid: undefined }, (await generateKeyPair("ES256")).privateKey),
    ],
    [
      "an altered payload",
      async ({ sign, claims }) => {
        const [header, , signature] = (await sign()).split(".");
        return `${header}.${encode({ ...claims, sub: "admin" })}.${signature}`;
      },
    ],
    [
      "an altered header",
      async ({ sign, kid }) => {
        const [, payload, signature] = (await sign()).split(".");
        return `${encode({ alg: "ES256", typ: "JWT", kid, x: 1 })}.${payload}.${signature}`;
      },
    ],
    ["no signature", async ({ sign }) => `${(await sign()).split(".").slice(0, 2).join(".")}.`],
    ["another type of token", ({ sign }) => sign({}, { typ: "at+jwt" })],
    [
      "an unknown critical extension",
      async ({ claims, kid, key }) => {
        const data = `${encode({ alg: "ES256", typ: "JWT", kid, crit: ["x"], x: 1 })}.${encode(claims)}`;
        const bytes = new TextEncoder().encode(data);
        const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key, bytes);
        return `${data}.${toBase64Url(new Uint8Array(signature))}`;
      },
    ],
    ["no subject", ({ sign }) => sign({ sub: undefined })],
    ["no access", ({ sign }) => sign({ access: undefined })],
    ["access of another shape", ({ sign }) => sign({ access: "*" })],
    ["a credential of another kind", ({ sign }) => sign({ cred: { type: "session", at: NOW } })],
  ])("%s", async (_name, attack) => {
    const of = await world();
    const token = await attack(of);
    expect(await of.take(token)).toMatchObject({ ok: false, error: { reason: "unauthenticated" } });
  });

  it.each<[string, (of: World) => Promise<string>]>([
    ["nothing", async () => ""],
    ["no JWT", async () => "abc"],
    ["dots", async () => ".."],
    [
      "a nested token",
      async ({ sign, kid }) =>
        `${encode({ alg: "ES256", typ: "JWT", cty: "JWT", kid })}.${toBase64Url(new TextEncoder().encode(await sign()))}.AA`,
    ],
    ["two tokens in one", async ({ sign }) => `${await sign()}.${await sign()}`],
    ["another issuer's token", ({ sign }) => sign({ iss: "https://other.example" })],
    ["a huge token, before it is read", ({ sign }) => sign({ padding: "x".repeat(9000) })],
  ])("or leaves to others %s", async (_name, attack) => {
    const of = await world();
    expect(await of.take(await attack(of))).toBeUndefined();
  });
});

it.each([
  ["exp", SECONDS - 59],
  ["nbf", SECONDS + 60],
])("allows a skew of 60 s for %s", async (claim, value) => {
  const { sign, take } = await world();
  expect(await take(await sign({ [claim]: value }))).toMatchObject({ ok: true });
});

it("does not take tokens in the place of a password", async () => {
  const { sign, authenticator } = await world();
  const credential = { scheme: "basic", basic: { username: "alice", password: await sign() } } as const;
  expect(await authenticator.authenticate(credential, new Request("http://registry/v2/"))).toBeUndefined();
});

describe("a token dies with its credential", () => {
  it("when the key is revoked, or is another's", async () => {
    const { sign, take, keys } = await world();
    expect(await take(await sign({ sub: "bob" }))).toMatchObject({ ok: false });
    keys.clear();
    expect(await take(await sign())).toMatchObject({ ok: false });
  });

  it.each([
    ["the same password", "2", "2", true],
    ["a new password", "3", "2", false],
    ["a removed password", undefined, "2", false],
    ["a password that it does not name", "2", undefined, false],
  ])("with %s", async (_name, current, id, good) => {
    const { sign, take, passwords } = await world();
    if (current === undefined) passwords.delete("alice");
    else passwords.set("alice", { text: "x", id: current });
    expect(await take(await sign({ cred: { type: "password", id } }))).toMatchObject({ ok: good });
  });
});
