import { createHash, type Hash } from "node:crypto";
import { type Digest, type DigestAlgorithm, digestOf } from "../oci/index.ts";

/** A native hash of bytes that arrive in pieces. */
export class Hasher {
  readonly algorithm: DigestAlgorithm;
  readonly #hash: Hash;
  #length = 0;

  constructor(algorithm: DigestAlgorithm) {
    this.algorithm = algorithm;
    this.#hash = createHash(algorithm);
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#length += bytes.byteLength;
  }

  /** Bytes hashed so far. */
  get length(): number {
    return this.#length;
  }

  /** The digest of what was hashed so far; more may follow. */
  digest(): Digest {
    return digestOf(this.algorithm, this.#hash.copy().digest("hex"));
  }
}

/** The digest of everything `stream` yields. */
export async function digestStream(algorithm: DigestAlgorithm, stream: ReadableStream<Uint8Array>): Promise<Digest> {
  const sink = new crypto.DigestStream(algorithm === "sha256" ? "SHA-256" : "SHA-512");
  await stream.pipeTo(sink);
  return digestOf(algorithm, new Uint8Array(await sink.digest).toHex());
}
