import * as z from "zod";
import { toBase64Url } from "../platform/index.ts";

/** How long a sign-in by an identity provider may take, in seconds. */
export const LOGIN_LIFETIME_SECONDS = 600;

const schema = z.object({
  issuer: z.string(),
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  returnTo: z.string(),
  /** Milliseconds since the Unix epoch. */
  expiresAt: z.number(),
});

/** What the browser keeps in a cookie while the user is with the identity provider. */
export type LoginState = z.infer<typeof schema>;

/**
 * The text of the cookie: signed, so that what comes back is what was given out. It is not encrypted: `nonce` and
 * `verifier` are secrets of this browser only, and pages cannot read the cookie.
 */
export async function sealLogin(key: CryptoKey, login: LoginState): Promise<string> {
  const body = toBase64Url(new TextEncoder().encode(JSON.stringify(login)));
  const signature = await crypto.subtle.sign("HMAC", key, message(body));
  return `${body}.${toBase64Url(new Uint8Array(signature))}`;
}

/** What was sealed, or `undefined` if this installation did not seal it or it is too old. */
export async function openLogin(key: CryptoKey, text: string, now: number): Promise<LoginState | undefined> {
  const [body = "", signature = "", ...rest] = text.split(".");
  const proof = decode(signature);
  if (rest.length > 0 || proof === undefined) return undefined;
  if (!(await crypto.subtle.verify("HMAC", key, proof, message(body)))) return undefined;
  const login = schema.parse(JSON.parse(new TextDecoder().decode(decode(body))));
  return login.expiresAt > now ? login : undefined;
}

function message(body: string): Uint8Array {
  return new TextEncoder().encode(`login\n${body}`);
}

function decode(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(text, { alphabet: "base64url" });
  } catch {
    return undefined;
  }
}
