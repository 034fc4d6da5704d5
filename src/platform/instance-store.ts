import { type Database, repeatable } from "./database.ts";
import { type KeyWrapper, type WrappedKey, wrappedKeySchema } from "./key-wrapper.ts";

const SECRET_BYTES = 32;

/** Values that one installation makes for itself on first use and then keeps. */
export class InstanceStore {
  readonly #database: Database;
  readonly #wrapper: KeyWrapper | undefined;

  /** @param wrapper encrypts the secrets among them; they are kept as they are without it */
  constructor(database: Database, wrapper: KeyWrapper | undefined) {
    this.#database = database;
    this.#wrapper = wrapper;
  }

  /**
   * 32 random bytes called `name`; the first caller decides them, for everyone. One that was kept under another key of
   * `SECRETS_KEY`, or as it is, is encrypted under the one in use. One that no key opens is replaced.
   */
  async secret(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const stored = await this.#getOrCreate(name, await this.#close(name, randomSecret()));
    const opened = await this.#open(name, stored);
    const bytes = opened ?? randomSecret();
    const closed = await this.#close(name, bytes);
    if (opened !== undefined && masterKeyOf(stored) === masterKeyOf(closed)) return bytes;
    const kept = await this.#replace(name, stored, closed);
    const secret = await this.#open(name, kept);
    if (secret === undefined) throw new Error(`instance secret does not open: ${name}`);
    return secret;
  }

  async #getOrCreate(name: string, value: string): Promise<string> {
    return this.#decide(
      name,
      this.#database
        .prepare("INSERT INTO instance (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING")
        .bind(name, value),
    );
  }

  /** Of several that replace a value at the same time, the first decides. */
  async #replace(name: string, from: string, to: string): Promise<string> {
    return this.#decide(
      name,
      this.#database.prepare("UPDATE instance SET value = ?3 WHERE name = ?1 AND value = ?2").bind(name, from, to),
    );
  }

  async #decide(name: string, change: ReturnType<Database["prepare"]>): Promise<string> {
    const [, stored] = await repeatable(this.#database).batch<{ value: string }>([
      change,
      this.#database.prepare("SELECT value FROM instance WHERE name = ?1").bind(name),
    ]);
    const value = stored?.results[0]?.value;
    if (value === undefined) throw new Error(`instance value was not stored: ${name}`);
    return value;
  }

  async #close(name: string, secret: Uint8Array): Promise<string> {
    const wrapped = await this.#wrapper?.wrap(secret, additionalDataOf(name));
    return wrapped === undefined ? secret.toBase64() : JSON.stringify(wrapped);
  }

  async #open(name: string, stored: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const wrapped = wrappedOf(stored);
    if (wrapped === undefined) return Uint8Array.fromBase64(stored);
    const opened = await this.#wrapper?.unwrap(wrapped, additionalDataOf(name));
    return opened === undefined ? undefined : new Uint8Array(opened);
  }
}

/** An HMAC-SHA-256 key of this installation, made on first use. The key is kept; not the promise, which belongs to one request. */
export function instanceHmacKey(store: InstanceStore, name: string): () => Promise<CryptoKey> {
  let key: CryptoKey | undefined;
  return async function hmacKey(): Promise<CryptoKey> {
    key ??= await importKey(store, name);
    return key;
  };
}

async function importKey(store: InstanceStore, name: string): Promise<CryptoKey> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  return crypto.subtle.importKey("raw", await store.secret(name), algorithm, false, ["sign", "verify"]);
}

const randomSecret = () => crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
const additionalDataOf = (name: string) => `instance/${name}`;

/** The value as a wrapped key; `undefined` for one that is kept as it is, in base64. */
function wrappedOf(stored: string): WrappedKey | undefined {
  return stored.startsWith("{") ? wrappedKeySchema.parse(JSON.parse(stored)) : undefined;
}

function masterKeyOf(stored: string): string | undefined {
  return wrappedOf(stored)?.masterKey;
}
