import { toHex } from "../../platform/index.ts";
import { StatusError } from "../../resources/index.ts";
import { importKey, open, seal } from "./envelope.ts";

/** A data key as it is stored: encrypted under a master key. */
export interface WrappedKey {
  /** Which master key; a hint, since keys may be renamed. */
  readonly masterKey: string;
  readonly wrapped: string;
}

interface MasterKey {
  readonly id: string;
  readonly key: CryptoKey;
}

/** The keys of the setting `SECRETS_KEY`: the first encrypts, all decrypt. */
export class MasterKeys {
  readonly #setting: string | undefined;
  #keys: readonly MasterKey[] | undefined;

  /** @param setting `base64` or `id:base64`, several with commas between; its form has been checked */
  constructor(setting: string | undefined) {
    this.#setting = setting;
  }

  /** Name of the key that encrypts. @throws {StatusError} ServiceUnavailable without the setting */
  async currentId(): Promise<string> {
    return (await this.#current()).id;
  }

  /** @throws {StatusError} ServiceUnavailable without the setting */
  async wrap(dataKey: Uint8Array, additionalData: string): Promise<WrappedKey> {
    const { id, key } = await this.#current();
    return { masterKey: id, wrapped: await seal(key, dataKey, additionalData) };
  }

  /** The data key, or `undefined` if none of the keys opens it. */
  async unwrap({ masterKey, wrapped }: WrappedKey, additionalData: string): Promise<Uint8Array | undefined> {
    const keys = await this.#all();
    const likely = keys.filter(({ id }) => id === masterKey);
    for (const { key } of [...likely, ...keys.filter(({ id }) => id !== masterKey)]) {
      const bytes = await open(key, wrapped, additionalData);
      if (bytes !== undefined) return bytes;
    }
    return undefined;
  }

  async #current(): Promise<MasterKey> {
    const [first] = await this.#all();
    if (first === undefined) {
      throw new StatusError(
        "ServiceUnavailable",
        "secrets cannot be stored: the setting SECRETS_KEY is not set (`wrangler secret put SECRETS_KEY`, 32 random bytes in base64)",
      );
    }
    return first;
  }

  async #all(): Promise<readonly MasterKey[]> {
    this.#keys ??= await Promise.all((this.#setting ?? "").split(",").filter(Boolean).map(masterKey));
    return this.#keys;
  }
}

async function masterKey(text: string): Promise<MasterKey> {
  const [named, id] = /^([^:]+):/.exec(text) ?? [];
  const bytes = Uint8Array.fromBase64(text.slice(named?.length ?? 0));
  return { id: id ?? (await fingerprint(bytes)), key: await importKey(bytes) };
}

/** A name for a key that was given none. The key is random, so that its digest tells nothing of it. */
async function fingerprint(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return `key-${toHex(new Uint8Array(digest)).slice(0, 8)}`;
}
