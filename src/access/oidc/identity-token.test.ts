import { exportSPKI, importJWK, SignJWT, UnsecuredJWT } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { claimedIssuer, verifyIdentityToken } from "./identity-token.ts";
import { NOW, published, type TestIssuer, testIssuer, testNetwork } from "./test-issuer.ts";

const ISSUER = "https://ci.example.com";
const SECONDS = NOW / 1000;
const CLAIMS = { iss: ISSUER, sub: "subject", aud: "entrepot", exp: SECONDS + 300 };

let ci: TestIssuer;
let other: TestIssuer;
beforeAll(async () => {
  ci = await testIssuer(ISSUER);
  other = await testIssuer("https://other.example.com");
});

async function outcome(token: string, audiences: readonly string[] = ["entrepot"], issuer = ci): Promise<string> {
  const network = testNetwork({ ...published(ci), ...published(issuer), ...published(other) });
  const verified = await verifyIdentityToken(token, { source: { issuer: issuer.issuer }, audiences }, network);
  return verified.ok ? "verified" : verified.error.reason;
}

const base64 = (json: unknown) => Buffer.from(JSON.stringify(json)).toString("base64url");

describe("a token is verified", () => {
  it.each(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"])(
    "with %s",
    async (alg) => {
      const issuer = await testIssuer(ISSUER, "key", alg);
      expect(await outcome(await issuer.token(), ["entrepot"], issuer)).toBe("verified");
    },
  );

  it.each<[string, Record<string, unknown>]>([
    ["for several audiences of which one is ours", { aud: ["other", "entrepot"] }],
    ["that expired less than a minute ago", { exp: SECONDS - 59 }],
    ["that is valid in less than a minute", { nbf: SECONDS + 59 }],
  ])("%s", async (_, claims) => {
    expect(await outcome(await ci.token(claims))).toBe("verified");
  });
});

describe("a token is refused", () => {
  it.each<[string, string, Record<string, unknown>]>([
    ["for another audience", "wrong-audience", { aud: "sts.amazonaws.com" }],
    ["for an audience in another case", "wrong-audience", { aud: "Entrepot" }],
    ["for an audience that begins as ours", "wrong-audience", { aud: "entrepot.example.com" }],
    ["without an audience", "missing-claim", { aud: undefined }],
    ["of another issuer", "wrong-issuer", { iss: "https://evil.example.com" }],
    ["of an issuer that differs by a slash", "wrong-issuer", { iss: `${ISSUER}/` }],
    ["without an issuer", "missing-claim", { iss: undefined }],
    ["that expired", "expired", { exp: SECONDS - 61 }],
    ["that never expires", "missing-claim", { exp: undefined }],
    ["that is not yet valid", "not-yet-valid", { nbf: SECONDS + 61 }],
    ["whose expiry is no number", "malformed", { exp: "tomorrow" }],
    ["without a subject", "missing-claim", { sub: undefined }],
    ["whose subject is no text", "malformed", { sub: 1 }],
    ["longer than 16 KiB", "malformed", { padding: "x".repeat(16 * 1024) }],
  ])("%s", async (_, reason, claims) => {
    expect(await outcome(await ci.token(claims))).toBe(reason);
  });

  it("when no audience is configured", async () => {
    expect(await outcome(await ci.token(), [])).toBe("wrong-audience");
    expect(await outcome(await ci.token({ aud: [] }), [])).toBe("wrong-audience");
  });

  it("without a signature", async () => {
    expect(await outcome(new UnsecuredJWT(CLAIMS).encode())).not.toBe("verified");
    expect(await outcome(`${base64({ alg: "none", kid: "key-1" })}.${base64(CLAIMS)}.`)).toBe("wrong-algorithm");
    expect(await outcome(`${base64({ alg: "RS256", kid: "key-1" })}.${base64(CLAIMS)}.`)).toBe("wrong-signature");
  });

  it("signed with the public key as a shared secret", async () => {
    const publicKey = await importJWK({ ...ci.publicJwk, ext: true }, "RS256", { extractable: true });
    if (publicKey instanceof Uint8Array) throw new Error("no key");
    for (const secret of [await exportSPKI(publicKey), JSON.stringify(ci.publicJwk), String(ci.publicJwk.n)]) {
      const token = await new SignJWT(CLAIMS)
        .setProtectedHeader({ alg: "HS256", kid: "key-1" })
        .sign(new TextEncoder().encode(secret));
      expect(await outcome(token)).toBe("wrong-algorithm");
    }
  });

  it("signed with a shared secret that the issuer published", async () => {
    const secret = new TextEncoder().encode("0123456789abcdef0123456789abcdef");
    const jwk = { kty: "oct", k: Buffer.from(secret).toString("base64url"), alg: "HS256", kid: "shared" };
    const network = testNetwork({ ...published(ci), [`${ISSUER}/keys`]: { keys: [jwk] } });
    const token = await new SignJWT(CLAIMS).setProtectedHeader({ alg: "HS256", kid: "shared" }).sign(secret);
    const verified = await verifyIdentityToken(token, { source: ci, audiences: ["entrepot"] }, network);
    expect(verified).toMatchObject({ ok: false, error: { reason: "wrong-algorithm" } });
  });

  it("signed by another issuer, with its kid or with ours", async () => {
    expect(await outcome(await other.token({ iss: ISSUER }))).toBe("wrong-signature");
    const strange = await testIssuer("https://strange.example.com", "strange");
    expect(await outcome(await strange.token({ iss: ISSUER }))).toBe("unknown-key");
  });

  it("with keys or addresses of keys in its header, which are not looked at", async () => {
    const evil = await testIssuer("https://evil.example.com", "key-1");
    const network = testNetwork({ ...published(ci), ...published(evil) });
    const header = { jku: "https://evil.example.com/keys", jwk: evil.publicJwk, x5u: "https://evil.example.com/x5u" };
    const token = await evil.token({ iss: ISSUER }, header);
    const verified = await verifyIdentityToken(token, { source: ci, audiences: ["entrepot"] }, network);
    expect(verified).toMatchObject({ ok: false, error: { reason: "wrong-signature" } });
    expect(network.seen.filter((url) => url.includes("evil"))).toEqual([]);
  });

  it("that was changed", async () => {
    const [header, , signature] = (await ci.token()).split(".");
    expect(await outcome(`${header}.${base64({ ...CLAIMS, sub: "admin" })}.${signature}`)).toBe("wrong-signature");
  });

  it("with critical headers that nobody knows", async () => {
    const token = `${base64({ alg: "RS256", kid: "key-1", crit: ["exp2"], exp2: 1 })}.${base64(CLAIMS)}.AAAA`;
    expect(await outcome(token)).toBe("malformed");
  });

  it.each(["", "a", "a.b", "a.b.c", "a.b.c.d.e", "..", "eyJ.eyJ.x"])("that is %j", async (token) => {
    expect(await outcome(token)).toBe("malformed");
  });
});

describe("claimedIssuer", () => {
  it("reads it without verifying", async () => {
    expect(claimedIssuer(await ci.token())).toBe(ISSUER);
  });

  it.each([
    "password",
    "ent_abc_def",
    "a.b.c",
    `${base64({})}.${base64({ iss: 1 })}.x`,
    `${base64({})}.${base64([])}.x`,
  ])("takes %j for no token", (text) => {
    expect(claimedIssuer(text)).toBeUndefined();
  });
});
