import { describe, expect, it } from "vitest";
import { hashSync } from "bcryptjs";
import { parseHtpasswd } from "./htpasswd.ts";
import { PasswordHasher } from "./password-hash.ts";
import { type PasswordIdPorts, passwordIds } from "./password-ids.ts";

const ENTRY = `carol:${hashSync("carol's password", 4)}`;
const passwords = new Map([["alice", { hash: "h", changedAt: 7 }]]);

function ids(settings: Partial<PasswordIdPorts> = {}) {
  return passwordIds({
    adminPassword: "the admin's password",
    htpasswd: parseHtpasswd(ENTRY),
    passwords: { get: async (user) => passwords.get(user) },
    hasher: new PasswordHasher({ cost: { ln: 4, r: 1, p: 1 } }),
    salt: async () => new Uint8Array(32),
    ...settings,
  });
}

describe("the id of a password", () => {
  it("is the user's, for as long as it is the password", async () => {
    const [admin = "", listed = ""] = [await ids().admin(), ids().listed("carol")];
    const again = ids();
    expect(await again.isCurrent("admin", admin)).toBe(true);
    expect(await again.isCurrent("carol", listed)).toBe(true);
    expect(await again.isCurrent("alice", again.stored({ hash: "another hash of it", changedAt: 7 }))).toBe(true);
    for (const id of [admin, listed, "7"]) expect(await again.isCurrent("bob", id)).toBe(false);
    expect(await again.isCurrent("alice", "6")).toBe(false);
    expect(await again.isCurrent("alice", "")).toBe(false);
  });

  it.each<[string, Partial<PasswordIdPorts>]>([
    ["changed", { adminPassword: "another password", htpasswd: parseHtpasswd(`carol:${hashSync("another", 4)}`) }],
    ["gone", { adminPassword: undefined, htpasswd: undefined }],
  ])("of a setting that is %s is nobody's", async (_what, settings) => {
    const [admin = "", listed = ""] = [await ids().admin(), ids().listed("carol")];
    expect(await ids(settings).isCurrent("admin", admin)).toBe(false);
    expect(await ids(settings).isCurrent("carol", listed)).toBe(false);
  });

  it("is another in each installation", async () => {
    const other = ids({ salt: async () => new Uint8Array(32).fill(1) });
    expect(await other.admin()).not.toBe(await ids().admin());
  });
});
