import { beforeAll, describe, expect, it } from "vitest";
import type { PresentedCredential } from "../authenticator.ts";
import type { Issuer } from "../directory.ts";
import { createFederation } from "./federation.ts";
import { NOW, published, type TestIssuer, testIssuer, testNetwork } from "./test-issuer.ts";

const REQUEST = new Request("https://registry.example.com/v2/");
const serviceAccount = { namespace: "team-a", name: "ci" };

let github: TestIssuer;
let gitlab: TestIssuer;
beforeAll(async () => {
  github = await testIssuer("https://token.example.com", "key");
  gitlab = await testIssuer("https://gitlab.example.com", "key");
});

function federation(issuers?: readonly Issuer[]) {
  const network = testNetwork({ ...published(github), ...published(gitlab) });
  const known = issuers ?? [
    {
      name: "github",
      issuer: github.issuer,
      audiences: ["entrepot"],
      rules: [{ claims: { repository: "org/*" }, serviceAccount }],
    },
    {
      name: "gitlab",
      issuer: gitlab.issuer,
      audiences: ["entrepot"],
      rules: [{ claims: { sub: "*" }, serviceAccount: { namespace: "team-b", name: "ci" } }],
    },
  ];
  const authenticator = createFederation({ directory: { issuers: async () => known }, ...network });
  return (credential: PresentedCredential) => authenticator.authenticate(credential, REQUEST);
}

const bearer = (token: string) => ({ scheme: "bearer", token }) as const;
const basic = (password: string) => ({ scheme: "basic", basic: { username: "ci", password } }) as const;

describe("a token of a known issuer", () => {
  it.each([bearer, basic])("becomes a service account by %o", async (present) => {
    const token = await github.token({ repository: "org/app", jti: "id-1" });
    expect(await federation()(present(token))).toEqual({
      ok: true,
      value: {
        name: "system:serviceaccount:team-a:ci",
        groups: [],
        credential: { type: "federated", id: "github:id-1" },
        expiresAt: NOW + 300_000,
        issuer: "github",
      },
    });
  });

  it("is found again by its subject if it has no id", async () => {
    expect(await federation()(bearer(await gitlab.token()))).toMatchObject({
      value: { name: "system:serviceaccount:team-b:ci", credential: { id: "gitlab:subject" } },
    });
  });

  it("is refused if no rule matches, or it is not verified", async () => {
    const refusal = async (token: string) => {
      const outcome = await federation()(bearer(token));
      return outcome?.ok === false && outcome.error.reason === "unauthenticated" ? outcome.error.detail : "accepted";
    };
    expect(await refusal(await github.token({ repository: "fork/app" }))).toBe(
      "identity token of github: no rule matches subject",
    );
    expect(await refusal(await github.token({ aud: "other" }))).toBe("identity token of github: wrong-audience (aud)");
    // The same kid, and the other's key.
    expect(await refusal(await gitlab.token({ iss: github.issuer, repository: "org/app" }))).toBe(
      "identity token of github: wrong-signature",
    );
  });

  it("may be of one of several that are configured for the issuer", async () => {
    const issuer = (name: string, audience: string): Issuer => ({
      name,
      issuer: github.issuer,
      audiences: [audience],
      rules: [{ claims: { sub: "*" }, serviceAccount: { namespace: name, name: "ci" } }],
    });
    const authenticate = federation([issuer("one", "first"), issuer("two", "second")]);
    expect(await authenticate(bearer(await github.token({ aud: "second" })))).toMatchObject({
      value: { name: "system:serviceaccount:two:ci" },
    });
    expect(await authenticate(bearer(await github.token({ aud: "third" })))).toMatchObject({ ok: false });
  });
});

describe("left to others are", () => {
  it("passwords and keys", async () => {
    expect(await federation()(basic("correct horse"))).toBeUndefined();
    expect(await federation()(bearer("ent_abcdefghijkl_secret"))).toBeUndefined();
    expect(await federation()({ scheme: "session", cookie: "x" })).toBeUndefined();
  });

  it("tokens of issuers that are not known", async () => {
    const ours = await testIssuer("https://registry.example.com");
    expect(await federation()(bearer(await ours.token()))).toBeUndefined();
    expect(await federation([])(bearer(await github.token()))).toBeUndefined();
  });
});
