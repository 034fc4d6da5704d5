import { createHash, createPublicKey } from "node:crypto";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importPKCS8, SignJWT, UnsecuredJWT } from "jose";
import { generate } from "selfsigned";
import { describe, expect, it } from "vitest";
import { NOW, testIssuer, testNetwork } from "../oidc/test-issuer.ts";
import { compilePolicy } from "../policy-evaluation.ts";
import { createExternalIssuer } from "./external-issuer.ts";

const ISSUER = "https://auth.example";
const JWKS_URL = "https://auth.example/keys";
const ACCESS = [{ type: "repository", name: "team-a/app", actions: ["pull", "push"] }];
const DAY = 86_400_000;

const request = new Request("http://registry/v2/");
const bearer = (token: string) => ({ scheme: "bearer", token }) as const;

describe("by the address of a key set", () => {
  async function world(alg = "ES256") {
    const issuer = await testIssuer(ISSUER, "key-1", alg);
    const network = testNetwork({ [JWKS_URL]: { keys: [issuer.publicJwk] } });
    const external = createExternalIssuer({
      issuer: ISSUER,
      service: "entrepot",
      keys: { jwksUrl: JWKS_URL, issuerKeys: network.keys },
      clock: network.clock,
    });
    const take = (token: string) => external.authenticate(bearer(token), request);
    return { issuer, network, take };
  }

  it.each(["RS256", "RS512", "PS256", "ES256", "ES384", "EdDSA"])("takes tokens signed by %s", async (alg) => {
    const { issuer, take } = await world(alg);
    expect(await take(await issuer.token({ access: ACCESS, jti: "id-1" }))).toEqual({
      ok: true,
      value: {
        name: "subject",
        groups: [],
        credential: { type: "token", id: "id-1" },
        scope: ACCESS,
        expiresAt: NOW + 300_000,
        vouched: true,
        grants: [expect.objectContaining({ source: "token" })],
      },
    });
  });

  it("gives the rights of the claim access and no others", async () => {
    const { issuer, take } = await world();
    const access = [
      { type: "repository", name: "team-a/app", actions: ["pull"] },
      { type: "repository", name: "team-b/app", actions: ["*"] },
      { type: "repository", name: "team-c/*", actions: ["pull"] },
      { type: "thing", name: "x", actions: ["pull"] },
    ];
    const result = await take(await issuer.token({ access }));
    const policy = compilePolicy((result?.ok && result.value.grants) || [], new Set());
    const may = (verb: string, name: string) =>
      policy.decide({
        verb,
        group: "content.entrepot.dev",
        resource: "repositories",
        subresource: "",
        namespace: name.split("/")[0] ?? "",
        name,
      }).allowed;
    expect([may("pull", "team-a/app"), may("push", "team-a/app"), may("pull", "team-a/app2")]).toEqual([
      true,
      false,
      false,
    ]);
    expect([may("push", "team-b/app"), may("delete", "team-b/app"), may("get", "team-b/app")]).toEqual([
      true,
      true,
      false,
    ]);
    expect([may("pull", "team-c/app"), may("pull", "team-c/*")]).toEqual([false, false]);
  });

  it("without the claim gives none, and an empty subject is nobody", async () => {
    const { issuer, take } = await world();
    expect(await take(await issuer.token({ sub: "" }))).toMatchObject({
      ok: true,
      value: { name: "system:anonymous", scope: [], grants: [{ rules: [] }] },
    });
  });

  it.each<[string, Record<string, unknown>]>([
    ["another audience", { aud: "other" }],
    ["expired", { exp: NOW / 1000 - 61 }],
    ["not yet valid", { nbf: NOW / 1000 + 61 }],
    ["no expiry", { exp: undefined }],
    ["malformed access", { access: "all" }],
    ["a name of the platform", { sub: "system:serviceaccount:a:b" }],
  ])("refuses %s", async (_name, claims) => {
    const { issuer, take } = await world();
    expect(await take(await issuer.token(claims))).toMatchObject({ ok: false, error: { reason: "unauthenticated" } });
  });

  it("refuses what the issuer did not sign", async () => {
    const { issuer, take } = await world();
    const other = await testIssuer(ISSUER, "key-1", "ES256");
    const unsigned = new UnsecuredJWT({ iss: ISSUER, sub: "x", aud: "entrepot", exp: NOW / 1000 + 300 }).encode();
    const secret = new TextEncoder().encode(JSON.stringify(issuer.publicJwk));
    const hmac = await new SignJWT({ iss: ISSUER, sub: "x", aud: "entrepot", exp: NOW / 1000 + 300 })
      .setProtectedHeader({ alg: "HS256", kid: "key-1" })
      .sign(secret);
    const embedded = await other.token({}, { kid: "other", jwk: other.publicJwk, jku: "https://evil.example/keys" });
    for (const token of [await other.token(), unsigned, hmac, embedded]) {
      expect(await take(token)).toMatchObject({ ok: false });
    }
  });

  it("leaves to others what is not the issuer's", async () => {
    const { take } = await world();
    const other = await testIssuer("https://other.example", "key-1", "ES256");
    expect(await take(await other.token())).toBeUndefined();
    expect(await take("ent_abc_def")).toBeUndefined();
    expect(await take("")).toBeUndefined();
  });

  it("fetches the keys again for a new one, not for each; and uses old ones while the issuer is away", async () => {
    const { issuer, network, take } = await world();
    await take(await issuer.token());
    const rotated = await testIssuer(ISSUER, "key-2", "ES256");
    network.answers[JWKS_URL] = { keys: [issuer.publicJwk, rotated.publicJwk] };
    network.time.now += 31_000;
    expect(await take(await rotated.token())).toMatchObject({ ok: true });
    const before = network.seen.length;
    for (let index = 0; index < 5; index += 1) await take(await (await testIssuer(ISSUER, "none", "ES256")).token());
    expect(network.seen).toHaveLength(before);
    delete network.answers[JWKS_URL];
    network.time.now += 11 * 60_000;
    const late = { exp: network.time.now / 1000 + 60 };
    expect(await take(await rotated.token(late))).toMatchObject({ ok: true });
  });
});

describe("by certificates", () => {
  const CA = [{ name: "basicConstraints", cA: true, critical: true }] as const;
  const make = (name: string, options: Parameters<typeof generate>[1] = {}) =>
    generate([{ name: "commonName", value: name }], {
      keyType: "ec",
      notBeforeDate: new Date(NOW - DAY),
      notAfterDate: new Date(NOW + DAY),
      ...options,
    });
  type Made = Awaited<ReturnType<typeof make>>;
  const by = (ca: Made) => ({ ca: { key: ca.private, cert: ca.cert } });
  const der = ({ cert }: Made) => cert.replaceAll(/-----[A-Z ]+-----|\s/g, "");

  async function sign(made: Made, header: Record<string, unknown>, claims: Record<string, unknown> = {}) {
    return new SignJWT({ iss: ISSUER, sub: "alice", aud: "entrepot", exp: NOW / 1000 + 300, access: ACCESS, ...claims })
      .setProtectedHeader({ alg: "ES256", ...header })
      .sign(await importPKCS8(made.private, "ES256"));
  }

  const taker = (bundle: readonly Made[], clock = () => NOW) => {
    const certificates = bundle.map(({ cert }) => cert).join("\n");
    const external = createExternalIssuer({ issuer: ISSUER, service: "entrepot", keys: { certificates }, clock });
    return (token: string) => external.authenticate(bearer(token), request);
  };

  /** As libtrust names a key, worked out another way. */
  function libtrust(made: Made): string {
    const spki = createPublicKey(made.cert).export({ type: "spki", format: "der" });
    const number = BigInt(`0x${createHash("sha256").update(spki).digest("hex").slice(0, 60)}`);
    const digits = Array.from({ length: 48 }, (_, index) => Number((number >> BigInt(5 * (47 - index))) & 31n));
    const text = digits.map((digit) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[digit]).join("");
    return text.replaceAll(/(.{4})(?=.)/g, "$1:");
  }

  it("finds a certificate by the fingerprint or the thumbprint of its key", async () => {
    const [one, two] = [await make("one"), await make("two")];
    const take = taker([one, two]);
    const thumbprint = await calculateJwkThumbprint(createPublicKey(two.cert).export({ format: "jwk" }));
    expect(await take(await sign(two, { kid: libtrust(two) }))).toMatchObject({ ok: true, value: { name: "alice" } });
    expect(await take(await sign(two, { kid: thumbprint }))).toMatchObject({ ok: true });
    for (const header of [{ kid: libtrust(one) }, { kid: "none" }, {}, { kid: "__proto__" }]) {
      expect(await take(await sign(two, header))).toMatchObject({ ok: false });
    }
  });

  it.each(["", "text", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"])(
    "does not start with %j for a bundle",
    (certificates) => {
      const start = () =>
        createExternalIssuer({ issuer: ISSUER, service: "entrepot", keys: { certificates }, clock: () => NOW });
      expect(start).toThrow("TOKEN_CERTIFICATES: expected certificates in PEM");
    },
  );

  it("takes a chain that ends in the bundle", async () => {
    const root = await make("root", { extensions: [...CA] });
    const middle = await make("middle", { extensions: [...CA], ...by(root) });
    const [leaf, deep] = [await make("leaf", by(root)), await make("deep", by(middle))];
    const take = taker([root]);
    expect(await take(await sign(leaf, { x5c: [der(leaf)] }))).toMatchObject({ ok: true });
    expect(await take(await sign(leaf, { x5c: [der(leaf), der(root)] }))).toMatchObject({ ok: true });
    expect(await take(await sign(deep, { x5c: [der(deep), der(middle)] }))).toMatchObject({ ok: true });
    expect(await take(await sign(deep, { x5c: [der(deep)] }))).toMatchObject({ ok: false });
    expect(await taker([leaf])(await sign(leaf, { x5c: [der(leaf)] }))).toMatchObject({ ok: true });
  });

  it("refuses chains that prove nothing", async () => {
    const root = await make("root", { extensions: [...CA] });
    const fake = await make("root", { extensions: [...CA] });
    const leaf = await make("leaf", by(root));
    const forged = await make("leaf", by(fake));
    const notCa = await make("below", by(leaf));
    const take = taker([root]);
    expect(await take(await sign(forged, { x5c: [der(forged)] }))).toMatchObject({ ok: false });
    expect(await take(await sign(forged, { x5c: [der(forged), der(fake)] }))).toMatchObject({ ok: false });
    // Somebody else's certificate, or one that may not sign others.
    expect(await take(await sign(forged, { x5c: [der(leaf)] }))).toMatchObject({ ok: false });
    expect(await take(await sign(notCa, { x5c: [der(notCa), der(leaf)] }))).toMatchObject({ ok: false });
    for (const x5c of [[], ["garbage"], [der(leaf).slice(0, 99)], [7]]) {
      expect(await take(await sign(leaf, { x5c }))).toMatchObject({ ok: false });
    }
  });

  it("refuses certificates out of their time", async () => {
    const root = await make("root", { extensions: [...CA], notAfterDate: new Date(NOW + 10 * DAY) });
    const leaf = await make("leaf", by(root));
    for (const now of [NOW - 2 * DAY, NOW + 2 * DAY]) {
      const take = taker([root, leaf], () => now);
      const claims = { exp: now / 1000 + 300 };
      expect(await take(await sign(leaf, { x5c: [der(leaf)] }, claims))).toMatchObject({ ok: false });
      expect(await take(await sign(leaf, { kid: libtrust(leaf) }, claims))).toMatchObject({ ok: false });
    }
  });

  it("does not mistake the key in a header for a certificate", async () => {
    const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
    const token = await new SignJWT({ iss: ISSUER, sub: "x", aud: "entrepot", exp: NOW / 1000 + 300 })
      .setProtectedHeader({ alg: "ES256", jwk: await exportJWK(publicKey), kid: "x" })
      .sign(privateKey);
    expect(await taker([await make("one")])(token)).toMatchObject({ ok: false });
  });
});
