import { type Clock, Lru, uuidv7 } from "../../platform/index.ts";
import type { DataKeyStore, StoredDataKey } from "./data-key-store.ts";
import { StatusError } from "../../resources/index.ts";
import { importKey, KEY_BYTES } from "./envelope.ts";
import type { MasterKeys } from "./master-keys.ts";

/** A data key that can be used. */
export interface DataKey {
  readonly id: string;
  readonly key: CryptoKey;
}

/** Keys that one isolate keeps open. */
const OPEN_KEYS = 256;

/** The data keys of namespaces: one encrypts, those before it decrypt. */
export class DataKeys {
  readonly #store: DataKeyStore;
  readonly #master: MasterKeys;
  readonly #clock: Clock;
  readonly #open = new Lru<CryptoKey>(OPEN_KEYS);

  constructor(store: DataKeyStore, master: MasterKeys, clock: Clock) {
    this.#store = store;
    this.#master = master;
    this.#clock = clock;
  }

  /** The key to encrypt with, made on first use. @throws {StatusError} ServiceUnavailable without SECRETS_KEY */
  async active(namespace: string): Promise<DataKey> {
    await this.#master.currentId();
    const stored = (await this.#store.active(namespace)) ?? (await this.#store.addFirst(await this.#make(namespace)));
    const key = await this.#opened(stored);
    if (key !== undefined) return { id: stored.id, key };
    throw new StatusError(
      "ServiceUnavailable",
      `secrets of namespace ${namespace} cannot be stored: no key of SECRETS_KEY opens the data key in use, which was made under ${JSON.stringify(stored.masterKey)}; add that key to the list, or, if it is lost, rotate the data key`,
    );
  }

  /** A key to decrypt with; `undefined` if it is not there or the master key it was made under is not. */
  async get(id: string): Promise<CryptoKey | undefined> {
    const known = this.#open.get(id);
    if (known !== undefined) return known;
    const stored = await this.#store.get(id);
    return stored === undefined ? undefined : this.#opened(stored);
  }

  /** Gives the namespace a new key to encrypt with. */
  async rotate(namespace: string): Promise<DataKey> {
    const stored = await this.#make(namespace);
    await this.#store.replace(stored);
    const key = await this.#opened(stored);
    if (key === undefined) throw new Error(`data key ${stored.id} does not open`);
    return { id: stored.id, key };
  }

  /**
   * Puts up to `limit` keys under the present master key. Resolves to where to go on, or to `undefined` after the last.
   */
  async rewrap(after: string, limit: number): Promise<{ readonly failed: readonly string[]; readonly next?: string }> {
    const stored = await this.#store.underOther(await this.#master.currentId(), after, limit);
    const failed: string[] = [];
    for (const key of stored) {
      const bytes = await this.#master.unwrap(key, additionalDataOf(key));
      if (bytes === undefined) failed.push(key.id);
      else await this.#store.rewrap(key, await this.#master.wrap(bytes, additionalDataOf(key)));
    }
    const last = stored.at(-1);
    return stored.length < limit || last === undefined ? { failed } : { failed, next: last.id };
  }

  async #make(namespace: string): Promise<StoredDataKey> {
    const id = uuidv7(this.#clock());
    const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
    return { id, namespace, ...(await this.#master.wrap(bytes, additionalDataOf({ id, namespace }))) };
  }

  async #opened(stored: StoredDataKey): Promise<CryptoKey | undefined> {
    const known = this.#open.get(stored.id);
    if (known !== undefined) return known;
    const bytes = await this.#master.unwrap(stored, additionalDataOf(stored));
    if (bytes === undefined) return undefined;
    const key = await importKey(bytes);
    this.#open.set(stored.id, key, 1);
    return key;
  }
}

function additionalDataOf({ id, namespace }: Pick<StoredDataKey, "id" | "namespace">): string {
  return `${namespace}/${id}`;
}
