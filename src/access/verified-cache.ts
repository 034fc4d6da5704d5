import { createHash } from "node:crypto";
import { type Clock, Lru } from "../platform/index.ts";
import type { CredentialText } from "./presented-credential.ts";

/** How long a proof is remembered at most, in milliseconds. */
const REMEMBER_MS = 60_000;

/** How many proofs are remembered. Each is an identity with its policy, of which those of one user share the rules. */
const CAPACITY = 2000;

interface Entry<V> {
  readonly value: V;
  readonly until: number;
}

/**
 * Remembers what credentials proved, within one generation of the directory. It holds hashes of credentials, never
 * the credentials.
 */
export class VerifiedCache<V> {
  readonly #clock: Clock;
  #generation = "";
  #entries = new Lru<Entry<V>>(CAPACITY);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Forgets everything if it is not of this generation. */
  enter(generation: string): void {
    if (generation === this.#generation) return;
    this.#generation = generation;
    this.#entries = new Lru(CAPACITY);
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.until > this.#clock()) return entry.value;
    this.#entries.delete(key);
    return undefined;
  }

  /** Remembers until `expiresAt`, for `REMEMBER_MS` at most; not at all if the generation has changed meanwhile. */
  set(generation: string, key: string, value: V, expiresAt: number | undefined): void {
    if (generation !== this.#generation) return;
    const until = Math.min(this.#clock() + REMEMBER_MS, expiresAt ?? Number.POSITIVE_INFINITY);
    this.#entries.set(key, { value, until }, 1);
  }
}

/**
 * Finds a credential again. 4 µs: every request that carries one pays this.
 * @param address where the request is from, if the credential counts as known from there only
 */
export function credentialKey({ source, text }: CredentialText, address = ""): string {
  return createHash("sha256").update(`${source}\0${address}\0${text}`).digest("base64");
}
