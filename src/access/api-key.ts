import { toBase64Url, toHex } from "../platform/index.ts";

/** What every API key begins with, so that scanners of leaked secrets know one. */
export const API_KEY_PREFIX = "ent_";

/** Thirty-two letters, so that five random bits are one of them. @see RFC 4648 section 6 */
const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";
const ID_LENGTH = 12;
const SECRET_BYTES = 32;
const PATTERN = /^ent_([a-z2-7]{12})_[A-Za-z0-9_-]{43}$/;
const TEXT_LENGTH = API_KEY_PREFIX.length + ID_LENGTH + 1 + 43;

/** An API key, whole. `text` is the secret; only its hash may be kept. */
export interface ApiKey {
  /** Finds the key again, and is no secret. */
  readonly id: string;
  readonly text: string;
}

/** A new key: `ent_<id>_<secret>`, with 60 random bits in the id and 256 in the secret. */
export function newApiKey(): ApiKey {
  let id = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(ID_LENGTH))) id += BASE32.charAt(byte % BASE32.length);
  const secret = toBase64Url(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));
  return { id, text: `${API_KEY_PREFIX}${id}_${secret}` };
}

/** The key in a text, or `undefined` if it is none. Nothing is trimmed and no letter is changed. */
export function parseApiKey(text: string): ApiKey | undefined {
  if (text.length !== TEXT_LENGTH) return undefined;
  const id = PATTERN.exec(text)?.[1];
  return id === undefined ? undefined : { id, text };
}

/** What is kept of a key: SHA-256 of the whole text, in hexadecimal. The secret is random, so that no salt is needed. */
export async function hashApiKey(text: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
}

/** What people know a key by in lists: its beginning, without the secret. */
export function apiKeyPrefix(id: string): string {
  return `${API_KEY_PREFIX}${id}`;
}
