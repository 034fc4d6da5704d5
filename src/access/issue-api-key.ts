import type { Clock } from "../platform/index.ts";
import { hashApiKey, newApiKey } from "./api-key.ts";
import type { Identity } from "./identity.ts";
import type { KeyStore, StoredKey } from "./key-store.ts";

/** Bounds of a key's life in seconds, if it is given one. */
export const KEY_LIFETIME = { minimum: 60, maximum: 400 * 86_400 } as const;

/** Keys of an account that may be good at the same time. */
export const MAX_ACTIVE_KEYS = 100;

/** What key is wanted. */
export interface KeyRequest {
  /** Whose key it will be, by the identity's name. */
  readonly identity: string;
  readonly name: string;
  /** Who asks for it, by the identity's name. */
  readonly createdBy: string;
  /** It has no end unless given. */
  readonly expiresInSeconds?: number | undefined;
  /** When it ends at the latest, in milliseconds since the Unix epoch (`endOfMaker`). */
  readonly notAfter?: number | undefined;
  /** `issuerOfMaker`. */
  readonly issuer: string | undefined;
}

/** A key that was made. `token` is the secret: it is shown this once. */
export interface IssuedKey {
  readonly id: string;
  readonly name: string;
  readonly token: string;
  /** In milliseconds since the Unix epoch. */
  readonly expiresAt: number | undefined;
}

/**
 * When what an identity makes for an account has to end: a key that ends makes none of its own account's that outlives
 * it, so that whoever found it does not keep the account.
 */
export function endOfMaker(maker: Pick<Identity, "name" | "credential" | "expiresAt">, account: string) {
  return maker.credential.type === "api-key" && maker.name === account ? maker.expiresAt : undefined;
}

/**
 * By which issuer the key of an account counts as made: that of the account itself when it makes its own. Whoever makes
 * one for another account may have all that account is given, settings included.
 */
export function issuerOfMaker(maker: Pick<Identity, "name" | "issuer">, account: string): string | undefined {
  return maker.name === account ? maker.issuer : undefined;
}

/** Makes a key and keeps its hash. Whether the caller may is for the caller to know. */
export async function issueApiKey(
  { keys, clock }: { readonly keys: KeyStore; readonly clock: Clock },
  { identity, name, createdBy, expiresInSeconds, notAfter, issuer }: KeyRequest,
): Promise<IssuedKey> {
  const { id, text } = newApiKey();
  const expiresAt = earliest(expiresInSeconds === undefined ? undefined : clock() + expiresInSeconds * 1000, notAfter);
  await keys.insert({ id, hash: await hashApiKey(text), identity, name, createdBy, expiresAt, issuer });
  return { id, name, token: text, expiresAt };
}

/**
 * Makes a key in the place of an active one, with its name and as long a life. The old one stays good for
 * `overlapSeconds`; with 0 it is revoked at once. `undefined`: the old one is no longer active.
 */
export async function rotateApiKey(
  { keys, clock }: { readonly keys: KeyStore; readonly clock: Clock },
  old: StoredKey,
  {
    createdBy,
    overlapSeconds,
    notAfter,
    issuer,
  }: Pick<KeyRequest, "createdBy" | "notAfter" | "issuer"> & { readonly overlapSeconds: number },
): Promise<IssuedKey | undefined> {
  const { id, text } = newApiKey();
  const { identity, name } = old;
  const expiresAt = earliest(old.expiresAt === null ? undefined : clock() + (old.expiresAt - old.createdAt), notAfter);
  const key = { id, hash: await hashApiKey(text), identity, name, createdBy, expiresAt, issuer };
  const replaced = await keys.replace(old.id, key, overlapSeconds * 1000);
  return replaced ? { id, name, token: text, expiresAt } : undefined;
}

function earliest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

/** Whether a credential of this type may make keys for the account it proves. */
export function canMakeKeys(type: Identity["credential"]["type"]): boolean {
  return type === "password" || type === "api-key" || type === "session" || type === "access-assertion";
}
