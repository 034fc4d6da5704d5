import { describe, expect, it } from "vitest";
import type { Issuer } from "../directory.ts";
import { sessionStanding } from "./session-standing.ts";

const login = {
  clientId: "c",
  scopes: ["openid"],
  usernameClaim: "sub",
  createUsers: false,
  displayName: "Corp",
};

function standing({ issuers = [], linked = "alice" }: { issuers?: readonly Partial<Issuer>[]; linked?: string } = {}) {
  return sessionStanding(
    { isCurrent: async (user, id) => user === "alice" && id === "password-1" },
    {
      issuers: async () =>
        issuers.map((issuer) => ({ name: "corp", issuer: "https://id.example", audiences: [], rules: [], ...issuer })),
      userByLogin: async (issuer, subject) =>
        linked !== "" && issuer === "corp" && subject === "s-1" ? { name: linked, disabled: false } : undefined,
    },
  );
}

const session = { id: "1", identity: "alice", expiresAt: 0 };

describe("a session stands", () => {
  it("while the user has the password that it was made of", async () => {
    const byPassword = { ...session, issuer: undefined, credential: "password-1" };
    expect(await standing()(byPassword)).toBe(true);
    expect(await standing()({ ...byPassword, credential: "password-0" })).toBe(false);
    expect(await standing()({ ...byPassword, credential: "" })).toBe(false);
    expect(await standing()({ ...byPassword, identity: "bob" })).toBe(false);
  });

  it("while people sign in by its issuer, and the user is still that person", async () => {
    const byIssuer = { ...session, issuer: "corp", credential: "s-1" };
    expect(await standing({ issuers: [{ login }] })(byIssuer)).toBe(true);
    expect(await standing({ issuers: [{ login }], linked: "bob" })(byIssuer)).toBe(false);
    expect(await standing({ issuers: [{ login }], linked: "" })(byIssuer)).toBe(false);
    expect(await standing({ issuers: [{}] })(byIssuer)).toBe(false);
    expect(await standing({ issuers: [{ login, name: "other" }] })(byIssuer)).toBe(false);
    expect(await standing()(byIssuer)).toBe(false);
  });
});
