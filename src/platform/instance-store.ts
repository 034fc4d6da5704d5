import type { Database } from "./database.ts";

/** Values that one installation makes for itself on first use and then keeps. */
export class InstanceStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The value called `name`; the first caller's `create()` decides it, for everyone and for good. */
  async getOrCreate(name: string, create: () => string): Promise<string> {
    const [, stored] = await this.#database.batch<{ value: string }>([
      this.#database
        .prepare("INSERT INTO instance (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING")
        .bind(name, create()),
      this.#database.prepare("SELECT value FROM instance WHERE name = ?1").bind(name),
    ]);
    const value = stored?.results[0]?.value;
    if (value === undefined) throw new Error(`instance value was not stored: ${name}`);
    return value;
  }

  /** 32 random bytes called `name`. */
  async secret(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const value = await this.getOrCreate(name, () => crypto.getRandomValues(new Uint8Array(32)).toBase64());
    return Uint8Array.fromBase64(value);
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
