import { beforeAll, describe, expect, it } from "vitest";
import type { Issuer } from "../directory.ts";
import { createCloudflareAccess } from "./cloudflare-access.ts";
import { NOW, type TestIssuer, testIssuer, testNetwork } from "./test-issuer.ts";

const REQUEST = new Request("https://registry.example.com/");
const AUDIENCE = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";
const CERTIFICATES = "https://team.cloudflareaccess.com/cdn-cgi/access/certs";
const ACCOUNTS = new Set(["admin", "alice", "bob@example.com", "e367826f.access", "system:serviceaccount:a:b"]);

let team: TestIssuer;
beforeAll(async () => {
  team = await testIssuer("https://team.cloudflareaccess.com");
});

function access(issuers: readonly Issuer[] = []) {
  const network = testNetwork({ [CERTIFICATES]: { keys: [team.publicJwk], public_certs: [] } });
  const linked = issuers[0]?.name ?? team.issuer;
  return createCloudflareAccess({
    ...network,
    teamDomain: "team.cloudflareaccess.com",
    audience: AUDIENCE,
    directory: {
      issuers: async () => issuers,
      account: async (name) => (ACCOUNTS.has(name) ? { name, disabled: false } : undefined),
      userByLogin: async (issuer, subject) =>
        issuer === linked && subject === "alice-sub" ? { name: "alice", disabled: false } : undefined,
    },
  });
}

async function nameOf(claims: Record<string, unknown>, issuers?: readonly Issuer[]): Promise<string> {
  const assertion = await team.token({ aud: [AUDIENCE], ...claims });
  const outcome = await access(issuers).authenticate({ scheme: "access-assertion", assertion }, REQUEST);
  return outcome?.ok === true ? outcome.value.name : `refused ${outcome?.error.reason}`;
}

describe("an assertion of Cloudflare Access", () => {
  it.each<[string, Record<string, unknown>, string]>([
    ["of someone linked", { sub: "alice-sub", email: "bob@example.com" }, "alice"],
    ["of someone named as the address", { sub: "new", email: "bob@example.com" }, "bob@example.com"],
    ["of a service token", { sub: "", common_name: "e367826f.access" }, "e367826f.access"],
    ["of someone unknown", { sub: "new", email: "carol@example.com" }, "refused unauthenticated"],
    ["whose address is none", { sub: "new", email: "admin" }, "refused unauthenticated"],
    ["whose service token is named as a user", { sub: "", common_name: "admin" }, "refused unauthenticated"],
    ["that names a service account", { sub: "x", email: "system:serviceaccount:a:b" }, "refused unauthenticated"],
    ["of nobody", { sub: "" }, "refused unauthenticated"],
    ["for another application", { sub: "alice-sub", aud: ["other"] }, "refused unauthenticated"],
    ["of another team", { sub: "alice-sub", iss: "https://evil.cloudflareaccess.com" }, "refused unauthenticated"],
    ["that expired", { sub: "alice-sub", exp: NOW / 1000 - 61 }, "refused unauthenticated"],
  ])("%s", async (_, claims, expected) => {
    expect(await nameOf(claims)).toBe(expected);
  });

  it("of someone linked by the name of the issuer's object", async () => {
    const issuer: Issuer = { name: "access", issuer: team.issuer, audiences: [AUDIENCE], rules: [] };
    expect(await nameOf({ sub: "alice-sub" }, [issuer])).toBe("alice");
  });

  it("expires with it, and is found again", async () => {
    const assertion = await team.token({ aud: [AUDIENCE], sub: "alice-sub" });
    expect(await access().authenticate({ scheme: "access-assertion", assertion }, REQUEST)).toMatchObject({
      value: {
        credential: { type: "access-assertion", id: "alice-sub" },
        expiresAt: NOW + 300_000,
        issuer: expect.stringMatching(/^https:/) as string,
      },
    });
  });

  it("is taken from its own header only", async () => {
    const token = await team.token({ aud: [AUDIENCE], sub: "alice-sub" });
    expect(await access().authenticate({ scheme: "bearer", token }, REQUEST)).toBeUndefined();
  });
});
