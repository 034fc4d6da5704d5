import { describe, expect, it } from "vitest";
import { newPassword, PasswordHasher, type ScryptCost } from "./password-hash.ts";

const CHEAP: ScryptCost = { ln: 4, r: 1, p: 1 };
const hasher = new PasswordHasher({ cost: CHEAP });

describe("a hash", () => {
  it("verifies its password and no other", async () => {
    const stored = await hasher.hash("correct horse");
    expect(stored).toMatch(/^\$scrypt\$ln=4,r=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(await hasher.verify("correct horse", stored)).toEqual({ genuine: true, outdated: false });
    for (const wrong of ["correct horse ", "Correct horse", "", "correct"])
      expect((await hasher.verify(wrong, stored)).genuine).toBe(false);
  });

  it("is another one each time", async () => {
    expect(await hasher.hash("same")).not.toBe(await hasher.hash("same"));
  });

  it("is what RFC 7914 says", async () => {
    const salt = Buffer.from("NaCl").toString("base64").replaceAll("=", "");
    const hash =
      "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640";
    const stored = `$scrypt$ln=10,r=8,p=16$${salt}$${Buffer.from(hash, "hex").toString("base64").replaceAll("=", "")}`;
    expect(await hasher.verify("password", stored)).toEqual({ genuine: true, outdated: false });
  });

  it("that is cheaper than it should be still verifies, and is said to be outdated", async () => {
    const stored = await hasher.hash("correct horse");
    const costlier = new PasswordHasher({ cost: { ln: 5, r: 1, p: 1 } });
    expect(await costlier.verify("correct horse", stored)).toEqual({ genuine: true, outdated: true });
    const renewed = await costlier.hash("correct horse");
    expect(await costlier.verify("correct horse", renewed)).toEqual({ genuine: true, outdated: false });
    expect(await hasher.verify("correct horse", renewed)).toEqual({ genuine: true, outdated: false });
  });

  it.each(["", "secret-pass", "$2b$10$abc", "$scrypt$ln=4,r=1,p=1$abc", "$scrypt$ln=4,r=1,p=1$$"])(
    "that is none of ours is a fault: %j",
    async (stored) => {
      await expect(hasher.verify("secret-pass", stored)).rejects.toThrow("not well-formed");
    },
  );
});

describe("a new password", () => {
  it.each([
    ["8 chars.", "8 chars."],
    ["pa\u0308sswo\u0308rd", "p\u00e4ssw\u00f6rd"],
    ["with\u00a0no-break", "with no-break"],
    ["🔑🔑🔑🔑🔑🔑🔑🔑", "🔑🔑🔑🔑🔑🔑🔑🔑"],
    ["x".repeat(1024), "x".repeat(1024)],
    ["correct.horse.battery", "correct.horse.battery"],
  ])("%j", (text, value) => {
    expect(newPassword(text)).toEqual({ ok: true, value });
  });

  it.each([
    ["", "too-short"],
    ["seven77", "too-short"],
    ["🔑🔑🔑🔑", "too-short"],
    ["x".repeat(1025), "too-long"],
    ["é".repeat(513), "too-long"],
    ["tab\tinside", "control-characters"],
    ["ent_password", "reserved"],
    ["eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.", "reserved"],
  ])("is not %j: %s", (text, error) => {
    expect(newPassword(text)).toEqual({ ok: false, error });
  });
});
