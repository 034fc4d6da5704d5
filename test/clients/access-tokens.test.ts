import { createHmac } from "node:crypto";
import { exportJWK, exportSPKI, generateKeyPair, importJWK, SignJWT } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import { type Answer, basic, json, query, type RequestPart } from "../conformance/registry-client.ts";
import { ADMIN, bearer, formBody, IAM, makeWorld, PASSWORDS, type World } from "../support/access-world.ts";
import { useServer } from "../support/client-fixture.ts";
import { stealSigningKey, type StolenKey } from "../support/stored-keys.ts";

const ALICE = basic("alice", PASSWORDS.alice);

type Fields = Readonly<Record<string, unknown>>;

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const now = (): number => Math.floor(Date.now() / 1000);

/** What a forger works with: the token of someone, taken apart. */
interface Forgery {
  readonly token: string;
  readonly header: Fields;
  readonly claims: Fields;
  readonly key: StolenKey;
}

interface WrongClaims {
  readonly name: string;
  /** What replaces the claims of a token that is right. */
  readonly claims: () => Fields;
  readonly header?: Fields;
}

/** Tokens that are signed with the right key, and wrong in what they say. */
const WRONG_CLAIMS: readonly WrongClaims[] = [
  { name: "for another audience", claims: () => ({ aud: "registry.example.com" }) },
  { name: "for no audience", claims: () => ({ aud: undefined }) },
  { name: "for other audiences", claims: () => ({ aud: ["registry.example.com", "Entrepot"] }) },
  { name: "of another issuer", claims: () => ({ iss: "https://issuer.example.com" }) },
  { name: "of no issuer", claims: () => ({ iss: undefined }) },
  { name: "that has expired", claims: () => ({ iat: now() - 400, nbf: now() - 400, exp: now() - 62 }) },
  { name: "that never expires", claims: () => ({ exp: undefined }) },
  { name: "that is not valid yet", claims: () => ({ iat: now() + 70, nbf: now() + 70, exp: now() + 370 }) },
  { name: "without a beginning", claims: () => ({ nbf: undefined }) },
  { name: "without an id", claims: () => ({ jti: undefined }) },
  { name: "of nobody", claims: () => ({ sub: undefined }) },
  { name: "of a user that there is not", claims: () => ({ sub: "mallory" }) },
  { name: "whose times are text", claims: () => ({ exp: String(now() + 100) }) },
  { name: "whose access is text", claims: () => ({ access: "repository:team-a/app:pull" }) },
  { name: "of a password that was changed since", claims: () => ({ cred: { type: "password", id: "1" } }) },
  {
    name: "of an API key that there is not",
    claims: () => ({ cred: { type: "api-key", id: "aaaaaaaaaaaa" } }),
  },
  { name: "of a wrong key id", claims: () => ({}), header: { kid: "A".repeat(43) } },
  { name: "of a key id that is a path", claims: () => ({}), header: { kid: "../../../../dev/null" } },
  { name: "of no key id", claims: () => ({}), header: { kid: undefined } },
  { name: "of another type", claims: () => ({}), header: { typ: "at+jwt" } },
  { name: "with an extension that nobody knows", claims: () => ({}), header: { crit: ["x"], x: 1 } },
];

/** Tokens that are not signed with the right key. */
const WRONG_SIGNATURES: readonly (readonly [string, (forgery: Forgery) => string | Promise<string>])[] = [
  ...["none", "None", "NONE", "nOnE", ""].map(
    (alg) =>
      [
        `of the algorithm ${JSON.stringify(alg)}`,
        ({ header: head, claims }: Forgery) => `${encode({ ...head, alg })}.${encode(claims)}.`,
      ] as const,
  ),
  [
    "of the algorithm none, and signed",
    ({ token, header: head }) => [encode({ ...head, alg: "none" }), ...token.split(".").slice(1)].join("."),
  ],
  [
    "signed by HS256 with the public key as JWK",
    ({ key, ...forgery }) => hs256(forgery, JSON.stringify(key.publicJwk)),
  ],
  [
    "signed by HS256 with the public key as PEM",
    async ({ key, ...forgery }) => {
      const imported = await importJWK(key.publicJwk, "ES256", { extractable: true });
      if (imported instanceof Uint8Array) throw new Error("not a key pair");
      return hs256(forgery, await exportSPKI(imported));
    },
  ],
  ["signed by HS256 with nothing", (forgery) => hs256(forgery, "")],
  ["signed by another key of the same name", ({ header: head, claims }) => bySomeoneElse(head, claims, false)],
  ["signed by the key in its own header", ({ header: head, claims }) => bySomeoneElse(head, claims, true)],
  [
    "that names another person",
    ({ token, claims }) => spliced(token, { ...claims, sub: "admin", groups: ["system:masters"] }),
  ],
  [
    "that was widened",
    ({ token, claims }) =>
      spliced(token, { ...claims, access: [{ type: "repository", name: "team-b/app", actions: ["pull"] }] }),
  ],
  ["that lasts longer", ({ token, claims }) => spliced(token, { ...claims, exp: now() + 86_400 })],
  ["without a signature", ({ token }) => token.slice(0, token.lastIndexOf(".") + 1)],
  ["with a signature of zeros", ({ token }) => `${token.slice(0, token.lastIndexOf("."))}.${"A".repeat(86)}`],
  ["with half a signature", ({ token }) => token.slice(0, -43)],
  ["with another part", ({ token }) => `${token}.${"A".repeat(86)}`],
  ["of 20 000 characters", ({ token }) => `${token}${"A".repeat(20_000)}`],
];

function hs256({ header: head, claims }: Pick<Forgery, "header" | "claims">, secret: string): string {
  const signed = `${encode({ ...head, alg: "HS256" })}.${encode(claims)}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

async function bySomeoneElse(head: Fields, claims: Fields, tells: boolean): Promise<string> {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const jwk = tells ? { jwk: await exportJWK(publicKey) } : {};
  return new SignJWT(claims).setProtectedHeader({ ...head, ...jwk, alg: "ES256" }).sign(privateKey);
}

function spliced(token: string, claims: Fields): string {
  const [head, , signature] = token.split(".");
  return [head, encode(claims), signature].join(".");
}

describe("whoever comes", () => {
  const at = useServer({ env: { ADMIN_PASSWORD: PASSWORDS.admin, LOGIN_ATTEMPTS: "1000" } });
  let world: World;
  let forgery: Forgery;
  beforeAll(async () => {
    world = await makeWorld(at.server);
    const token = await tokenOf("repository:team-a/app:pull", ALICE);
    const [head, claims] = token.split(".").map((part) => Buffer.from(part, "base64url").toString("utf8"));
    forgery = {
      token,
      header: JSON.parse(head ?? "") as Fields,
      claims: JSON.parse(claims ?? "") as Fields,
      key: stealSigningKey(at.server.data),
    };
  });

  const send = (method: string, target: string, ...parts: RequestPart[]): Promise<Answer> =>
    world.registry.send(method, target, ...parts);
  const tokenOf = async (scope: string, ...parts: RequestPart[]): Promise<string> =>
    (json(await send("GET", "/auth/token", query("scope", scope), ...parts)) as { readonly token: string }).token;
  const pull = async (token: string): Promise<number> =>
    (await send("GET", "/v2/team-a/app/manifests/v1", bearer(token))).status;

  describe("with a token", () => {
    test("that is right is let in, and so is one that expired within the skew of clocks", async () => {
      expect(await pull(forgery.token)).toBe(200);
      expect(await pull(await forgery.key.sign(forgery.claims))).toBe(200);
      const late = { iat: now() - 400, nbf: now() - 400, exp: now() - 30 };
      expect(await pull(await forgery.key.sign({ ...forgery.claims, ...late }))).toBe(200);
    });

    test.each(WRONG_CLAIMS)("$name is refused", async ({ claims, header: head }) => {
      const token = await forgery.key.sign({ ...forgery.claims, ...claims() }, head);
      expect(await pull(token)).toBe(401);
    });

    test.each(WRONG_SIGNATURES)("%s is refused", async (_case, forge) => {
      const token = await forge(forgery);
      expect(await pull(token)).toBe(401);
      const asPassword = await send("GET", "/v2/team-a/app/manifests/v1", basic("admin", token));
      expect(asPassword.status).toBe(401);
    });

    test.each([
      ["GET", `${IAM}/users`],
      ["GET", `${IAM}/users/admin`],
      ["GET", "/api/v1/namespaces"],
      ["GET", "/api/v1/audit"],
      ["GET", "/api/v1/usage"],
      ["POST", `${IAM}/users/admin/tokens`],
      ["POST", "/auth/kubeconfig"],
      ["DELETE", "/apis/content.entrepot.dev/v1/namespaces/team-a/repositories/app"],
    ])("of the administrator for a repository is not good for %s %s", async (method, target) => {
      const token = await tokenOf("repository:team-a/app:pull,push,delete", ADMIN);
      expect((await send("GET", "/v2/team-a/app/manifests/v1", bearer(token))).status).toBe(200);
      expect((await send(method, target, bearer(token))).status).toBe(403);
    });

    test("a refresh token gives no more than its owner may do now", async () => {
      const fields = { grant_type: "password", username: "alice", password: PASSWORDS.alice, access_type: "offline" };
      const made = json(
        await send("POST", "/auth/token", formBody({ ...fields, scope: "repository:team-a/app:pull" })),
      );
      const { refresh_token: refresh } = made as { readonly refresh_token: string };
      const again = { grant_type: "refresh_token", refresh_token: refresh };
      for (const scope of [
        "repository:team-a/app:push,delete",
        "repository:team-b/app:pull",
        "repository:team-a/*:pull",
      ]) {
        expect(json(await send("POST", "/auth/token", formBody({ ...again, scope })))).toMatchObject({ scope: "" });
      }
      for (const presented of [bearer(refresh), basic("alice", refresh)]) {
        expect((await send("GET", "/v2/", presented)).status).toBe(401);
      }
    });
  });
});
