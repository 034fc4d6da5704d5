import type { Digest, RepositoryName } from "../oci/index.ts";
import { type Clock, Lru } from "../platform/index.ts";

/** Lookups that one isolate remembers at most; a list counts once for each of its entries. */
const MAX_LOOKUPS = 20_000;

/** Blobs up to this many bytes are worth keeping in memory: configs, not layers. */
export const MAX_CACHED_BLOB_BYTES = 128 * 1024;

interface Remembered {
  readonly value: unknown;
  readonly readAt: number;
  readonly generation: number;
}

/** A lookup that was begun, and the way to its answer; it may be left. */
export type Begun<T> = () => Promise<T | undefined>;

/** A failure is for whoever asks for the answer: nobody may. */
function later<T>(reading: Promise<T | undefined>): Begun<T> {
  reading.catch(() => {});
  return () => reading;
}

/**
 * What one isolate remembers. Lookups (which digest has this tag, does this repository hold this blob, which tags are
 * there) are good for a short while, and not past a write to the repository in this isolate. Bytes are keyed by digest and good forever; they
 * are asked for only after a lookup said that the repository holds them. That something is absent is never remembered.
 */
export class ReadCache {
  readonly #clock: Clock;
  readonly #staleness: number;
  readonly #lookups = new Lru<Remembered>(MAX_LOOKUPS);
  readonly #bytes: Lru<Uint8Array>;
  readonly #generations = new Map<RepositoryName, number>();
  #generation = 0;
  /** The generation of repositories that are not in the map. */
  #floor = 0;

  /** @param staleness milliseconds for which a lookup is good; `capacity` is in bytes */
  constructor(clock: Clock, staleness: number, capacity: number) {
    this.#clock = clock;
    this.#staleness = staleness;
    this.#bytes = new Lru(capacity);
  }

  /**
   * The remembered answer to a lookup, or a new one by `read`.
   * @param name tells this lookup from others in the repository
   * @param fresh reads anew, whatever is remembered
   * @param read is told whether an answer may be as it was a moment ago: not if a newer one was asked for, nor after a
   * write to the repository in this isolate
   * @param alias another lookup that has the same answer
   * @param weight how many lookups the answer counts for
   */
  lookup<T>(
    repository: RepositoryName,
    name: string,
    fresh: boolean,
    read: (mayLag: boolean) => Promise<T | undefined>,
    alias?: (value: T) => string,
    weight?: (value: T) => number,
  ): Promise<T | undefined> {
    return this.begin(repository, name, fresh, read, alias, weight)();
  }

  /**
   * The same in two steps: what has to be read is asked for at once, and remembered when the answer is called for. It is
   * not, by those who turn out to have no right to it.
   */
  begin<T>(
    repository: RepositoryName,
    name: string,
    fresh: boolean,
    read: (mayLag: boolean) => Promise<T | undefined>,
    alias?: (value: T) => string,
    weight: (value: T) => number = () => 1,
  ): Begun<T> {
    if (this.#staleness === 0) return later(read(false));
    const key = `${repository}|${name}`;
    const generation = this.#generations.get(repository) ?? this.#floor;
    const now = this.#clock();
    const known = fresh ? undefined : this.#lookups.get(key);
    if (known !== undefined && known.generation === generation && now - known.readAt < this.#staleness)
      return later(Promise.resolve(known.value as T));
    const reading = later(read(!fresh && generation === 0));
    return async () => {
      const value = await reading();
      if (value === undefined) this.#lookups.delete(key);
      else {
        const remembered = { value, readAt: now, generation };
        this.#lookups.set(key, remembered, weight(value));
        if (alias !== undefined) this.#lookups.set(`${repository}|${alias(value)}`, remembered, 1);
      }
      return value;
    };
  }

  /** A write changed the repository: what was looked up before, or is being looked up now, is no longer good. */
  forget(repository: RepositoryName): void {
    this.#generation += 1;
    if (this.#generations.size >= MAX_LOOKUPS) {
      this.#generations.clear();
      this.#floor = this.#generation;
    }
    this.#generations.set(repository, this.#generation);
  }

  bytes(digest: Digest): Uint8Array | undefined {
    return this.#bytes.get(digest);
  }

  keepBytes(digest: Digest, bytes: Uint8Array): void {
    this.#bytes.set(digest, bytes, bytes.byteLength);
  }
}
