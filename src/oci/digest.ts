import { createHash } from "node:crypto";

/**
 * A digest whose algorithm this registry computes and whose form is right: `sha256:` and 64, or `sha512:` and 128
 * lower-case hexadecimal digits.
 * @see OCI image-spec, descriptor.md, section "Digests"
 */
export type Digest = string & { readonly __brand: "Digest" };

export type DigestAlgorithm = keyof typeof ALGORITHMS;

const ALGORITHMS = {
  sha256: { pattern: /^[a-f0-9]{64}$/, hexLength: 64 },
  sha512: { pattern: /^[a-f0-9]{128}$/, hexLength: 128 },
} as const;

export function isDigestAlgorithm(text: string): text is DigestAlgorithm {
  return Object.hasOwn(ALGORITHMS, text);
}

/** `text` as a digest, or `undefined` if it is malformed or of an algorithm that is not supported. */
export function parseDigest(text: string): Digest | undefined {
  const colon = text.indexOf(":");
  const algorithm = text.slice(0, colon);
  if (colon < 0 || !isDigestAlgorithm(algorithm)) return undefined;
  return ALGORITHMS[algorithm].pattern.test(text.slice(colon + 1)) ? (text as Digest) : undefined;
}

/** A digest from its parts; `hex` comes from a hash function, so it is not checked again. */
export function digestOf(algorithm: DigestAlgorithm, hex: string): Digest {
  return `${algorithm}:${hex}` as Digest;
}

/** The algorithm of a digest. */
export function digestAlgorithm(digest: string): DigestAlgorithm {
  return digest.startsWith("sha256:") ? "sha256" : "sha512";
}

/** The digest of `bytes`. */
export function digestBytes(algorithm: DigestAlgorithm, bytes: Uint8Array): Digest {
  return digestOf(algorithm, createHash(algorithm).update(bytes).digest("hex"));
}

/** The hexadecimal part. */
export function digestHex(digest: string): string {
  return digest.slice(digest.indexOf(":") + 1);
}
