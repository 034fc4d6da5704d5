import { expect, it } from "vitest";
import { openLogin, sealLogin } from "./login-state.ts";

const login = { issuer: "corp", state: "s", nonce: "n", verifier: "v", returnTo: "/", expiresAt: 1000 };
const newKey = () =>
  crypto.subtle.importKey("raw", crypto.getRandomValues(new Uint8Array(32)), { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
    "verify",
  ]);

it("opens what was sealed, until it is too old", async () => {
  const key = await newKey();
  const text = await sealLogin(key, login);
  expect(await openLogin(key, text, 999)).toEqual(login);
  expect(await openLogin(key, text, 1000)).toBeUndefined();
});

it("opens nothing that someone else made or changed", async () => {
  const key = await newKey();
  const text = await sealLogin(key, login);
  const [body = "", signature = ""] = text.split(".");
  const forged = Buffer.from(JSON.stringify({ ...login, returnTo: "/x" })).toString("base64url");
  const foreign = await sealLogin(await newKey(), login);
  for (const wrong of [foreign, `${forged}.${signature}`, body, `${body}.`, `${text}.x`, `.${signature}`, "", "!.!"]) {
    expect(await openLogin(key, wrong, 0)).toBeUndefined();
  }
});
