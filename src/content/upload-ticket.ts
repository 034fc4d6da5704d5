import { type DigestAlgorithm, isDigestAlgorithm, type RepositoryName } from "../oci/index.ts";
import { toBase64Url, uuidv7, uuidv7Time } from "../platform/index.ts";

/** What a client shows to continue an upload: who it is, and proof that this registry opened it. */
export interface UploadTicket {
  readonly id: string;
  readonly algorithm: DigestAlgorithm;
  /** Milliseconds since the Unix epoch. */
  readonly openedAt: number;
}

/**
 * Opens uploads without storing anything: the ticket is signed, so an unknown or foreign upload is told from one that
 * has no bytes yet. It is no credential; every request is authorised by itself.
 */
export class UploadTickets {
  readonly #key: () => Promise<CryptoKey>;

  /** @param key an HMAC key of this installation */
  constructor(key: () => Promise<CryptoKey>) {
    this.#key = key;
  }

  async open(
    repository: RepositoryName,
    algorithm: DigestAlgorithm,
    now: number,
  ): Promise<{ ticket: UploadTicket; state: string }> {
    const id = uuidv7(now);
    const signature = await crypto.subtle.sign("HMAC", await this.#key(), message(repository, id, algorithm));
    return {
      ticket: { id, algorithm, openedAt: now },
      state: `${algorithm}.${toBase64Url(new Uint8Array(signature))}`,
    };
  }

  /** The ticket for `id` and the `state` that was issued with it, or `undefined` if they were not. */
  async check(repository: RepositoryName, id: string, state: string): Promise<UploadTicket | undefined> {
    const openedAt = uuidv7Time(id);
    const [algorithm = "", signature = ""] = state.split(".");
    if (openedAt === undefined || !isDigestAlgorithm(algorithm)) return undefined;
    const bytes = decode(signature);
    if (bytes === undefined) return undefined;
    const genuine = await crypto.subtle.verify("HMAC", await this.#key(), bytes, message(repository, id, algorithm));
    return genuine ? { id, algorithm, openedAt } : undefined;
  }
}

function message(repository: RepositoryName, id: string, algorithm: DigestAlgorithm): Uint8Array {
  return new TextEncoder().encode(`${repository}\n${id}\n${algorithm}`);
}

function decode(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(text, { alphabet: "base64url" });
  } catch {
    return undefined;
  }
}
