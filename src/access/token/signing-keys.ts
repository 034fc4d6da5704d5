import { calculateJwkThumbprint, type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK } from "jose";
import { type Clock, type KeyWrapper, wrappedKeySchema } from "../../platform/index.ts";
import type { SigningKeyStore, StoredSigningKey } from "./signing-key-store.ts";

/** The one algorithm of tokens. @see RFC 7518 section 3.4 */
export const TOKEN_ALGORITHM = "ES256";

/** Times of signing keys, in milliseconds. */
export const SIGNING_KEY_TIMES = {
  /** How long a key signs. */
  signs: 30 * 86_400_000,
  /** How long it verifies after that: the longest life of a token, the skew that is allowed, and as much for clocks that differ. */
  verifiesAfter: 3_600_000 + 2 * 60_000,
  /** An unknown `kid` makes the store be read again at most this often. */
  reread: 5000,
} as const;

/** RFC 7638 thumbprint with SHA-256, the only `kid` that keys of the platform have. */
const KID = /^[A-Za-z0-9_-]{43}$/;

/** A key that signs, and its name in the header of what it signed. */
export interface Signer {
  readonly kid: string;
  readonly key: CryptoKey;
}

interface KnownKey {
  readonly kid: string;
  /** Absent if this isolate does not sign with it. */
  readonly key: CryptoKey | undefined;
  readonly publicKey: CryptoKey;
  readonly publicJwk: JWK;
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** What signing keys work with. */
export interface SigningKeysPorts {
  readonly store: Pick<SigningKeyStore, "list" | "addUnlessNewer">;
  /** Private keys are kept as they are without it. */
  readonly wrapper: KeyWrapper | undefined;
  readonly clock: Clock;
}

/**
 * The keys of the token service, remembered by an isolate. The first is made when it is needed, the next one by whoever
 * signs after the newest got too old.
 */
export class SigningKeys {
  readonly #store: SigningKeysPorts["store"];
  readonly #wrapper: KeyWrapper | undefined;
  readonly #clock: Clock;
  /** The newest first. */
  #known: readonly KnownKey[] = [];
  #readAt = Number.NEGATIVE_INFINITY;

  constructor({ store, wrapper, clock }: SigningKeysPorts) {
    this.#store = store;
    this.#wrapper = wrapper;
    this.#clock = clock;
  }

  /** The key that signs now. */
  async signer(): Promise<Signer> {
    const known = this.#signing();
    if (known !== undefined) return known;
    await this.#remember(await this.#store.list(this.#clock()));
    const stored = this.#signing();
    if (stored !== undefined) return stored;
    const made = await makeKey(this.#clock(), this.#wrapper);
    const { signs, verifiesAfter } = SIGNING_KEY_TIMES;
    const useless = this.#known.flatMap(({ kid, key }) => (key === undefined ? [kid] : []));
    // Whoever lost a race gets the key of whoever won it.
    await this.#remember(
      await this.#store.addUnlessNewer(made, made.createdAt - signs, useless, made.createdAt + verifiesAfter),
    );
    const signer = this.#signing();
    if (signer === undefined) throw new Error("the signing key that was just made is not there");
    return signer;
  }

  /** The public key named `kid`, unless there is none or it has expired. */
  async verifier(kid: string): Promise<CryptoKey | undefined> {
    if (!KID.test(kid)) return undefined;
    const known = this.#named(kid);
    if (known !== undefined || this.#clock() - this.#readAt < SIGNING_KEY_TIMES.reread) return known;
    await this.#remember(await this.#store.list(this.#clock()));
    return this.#named(kid);
  }

  /** The public keys as a JWK Set. @see RFC 7517 section 5 */
  async publicKeys(): Promise<{ readonly keys: readonly JWK[] }> {
    const now = this.#clock();
    if (now - this.#readAt >= SIGNING_KEY_TIMES.reread) await this.#remember(await this.#store.list(now));
    return { keys: this.#known.filter(({ expiresAt }) => expiresAt > now).map(({ publicJwk }) => publicJwk) };
  }

  #signing(): Signer | undefined {
    for (const { kid, key, createdAt } of this.#known) {
      if (key !== undefined && this.#clock() - createdAt < SIGNING_KEY_TIMES.signs) return { kid, key };
    }
    return undefined;
  }

  #named(kid: string): CryptoKey | undefined {
    return this.#known.find((key) => key.kid === kid && key.expiresAt > this.#clock())?.publicKey;
  }

  async #remember(stored: readonly StoredSigningKey[]): Promise<void> {
    const known = new Map(this.#known.map((key) => [key.kid, key]));
    this.#known = await Promise.all(
      stored.map(async (row) => {
        const { createdAt, expiresAt } = row;
        return { ...(known.get(row.kid) ?? (await importKey(row, this.#wrapper))), createdAt, expiresAt };
      }),
    );
    this.#readAt = this.#clock();
  }
}

async function makeKey(now: number, wrapper: KeyWrapper | undefined): Promise<StoredSigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(TOKEN_ALGORITHM, { extractable: true });
  const publicPart = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(publicPart);
  const privateJwk = JSON.stringify(await exportJWK(privateKey));
  const wrapped = await wrapper?.wrap(new TextEncoder().encode(privateJwk), additionalDataOf(kid));
  return {
    kid,
    privateJwk: wrapped === undefined ? privateJwk : JSON.stringify(wrapped),
    publicJwk: JSON.stringify({ ...publicPart, kid, alg: TOKEN_ALGORITHM, use: "sig" }),
    createdAt: now,
    expiresAt: now + SIGNING_KEY_TIMES.signs + SIGNING_KEY_TIMES.verifiesAfter,
  };
}

async function importKey(stored: StoredSigningKey, wrapper: KeyWrapper | undefined) {
  const publicJwk: JWK = JSON.parse(stored.publicJwk);
  const [key, publicKey] = await Promise.all([privateKeyOf(stored, wrapper), importPart(publicJwk)]);
  return { kid: stored.kid, key, publicKey, publicJwk };
}

/** `undefined` for a key that does not open, and for one that is not encrypted though it could be: who knows who has read it. */
async function privateKeyOf(
  { kid, privateJwk }: StoredSigningKey,
  wrapper: KeyWrapper | undefined,
): Promise<CryptoKey | undefined> {
  const json: JWK = JSON.parse(privateJwk);
  const wrapped = wrappedKeySchema.safeParse(json);
  if (!wrapped.success) return wrapper === undefined ? importPart(json) : undefined;
  const opened = await wrapper?.unwrap(wrapped.data, additionalDataOf(kid));
  return opened === undefined ? undefined : importPart(JSON.parse(new TextDecoder().decode(opened)));
}

function additionalDataOf(kid: string): string {
  return `access_signing_keys/${kid}`;
}

async function importPart(jwk: JWK): Promise<CryptoKey> {
  const key = await importJWK(jwk, TOKEN_ALGORITHM);
  if (key instanceof Uint8Array) throw new Error("a signing key is not an elliptic curve key");
  return key;
}
