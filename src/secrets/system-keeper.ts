import { type Clock, uuidv7 } from "../platform/index.ts";
import type { CurrentVersion } from "./current-version.ts";
import type { StoredValue, ValueStore } from "./value-store.ts";
import { type DataKeys, open, seal } from "./keys/index.ts";

/** How often a version number that another write took, or a data key that just went, is replaced. */
const ATTEMPTS = 8;

/** Keeps values in the database, each version sealed for its place under a data key of its namespace. */
export class SystemKeeper {
  readonly #values: ValueStore;
  readonly #keys: DataKeys;
  readonly #clock: Clock;

  constructor(values: ValueStore, keys: DataKeys, clock: Clock) {
    this.#values = values;
    this.#keys = keys;
    this.#clock = clock;
  }

  /**
   * Stores a value as a version above `above`, for an object to name.
   * @throws {StatusError} ServiceUnavailable without SECRETS_KEY
   */
  async store(
    namespace: string,
    name: string,
    value: string,
    above: number,
  ): Promise<CurrentVersion & { readonly id: string }> {
    const plain = new TextEncoder().encode(value);
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const dataKey = await this.#keys.active(namespace);
      const version = Math.max(above, await this.#values.lastVersion(namespace, name)) + 1;
      const id = uuidv7(this.#clock());
      const ciphertext = await seal(dataKey.key, plain, additionalDataOf({ namespace, name, version }));
      const stored = await this.#values.insert({ id, namespace, name, version, dataKey: dataKey.id, ciphertext });
      if (stored) return { version, id };
    }
    throw new Error(`no version number could be had for ${namespace}/${name}`);
  }

  /** A version of a value; `undefined` if it is not there, or does not open. */
  async expose(namespace: string, name: string, id: string): Promise<string | undefined> {
    const stored = await this.#values.get(id);
    if (stored === undefined || stored.namespace !== namespace || stored.name !== name) return undefined;
    const plain = await this.#open(stored);
    // A byte order mark is part of the secret.
    return plain === undefined ? undefined : new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(plain);
  }

  /** Puts a row under the data key in use. `false` if it does not open. */
  async reencrypt(stored: StoredValue): Promise<boolean> {
    const plain = await this.#open(stored);
    if (plain === undefined) return false;
    const active = await this.#keys.active(stored.namespace);
    await this.#values.reencrypt(stored, active.id, await seal(active.key, plain, additionalDataOf(stored)));
    return true;
  }

  async #open(stored: StoredValue): Promise<Uint8Array | undefined> {
    const key = await this.#keys.get(stored.dataKey);
    return key === undefined ? undefined : open(key, stored.ciphertext, additionalDataOf(stored));
  }
}

/** What a value is sealed for. Neither namespaces nor names have a slash in them. */
function additionalDataOf({ namespace, name, version }: Pick<StoredValue, "namespace" | "name" | "version">): string {
  return `${namespace}/${name}/${version}`;
}
