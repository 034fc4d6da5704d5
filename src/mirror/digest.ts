import { createHash } from "node:crypto";

const HEX_LENGTH: Readonly<Record<string, number>> = { sha256: 64, sha512: 128 };

/** Whether a text is a digest that can be verified: `sha256:` or `sha512:` and lower-case hexadecimal. */
export function isDigest(text: string): boolean {
  const [, algorithm = "", hex = ""] = /^([a-z0-9]+):([0-9a-f]+)$/.exec(text) ?? [];
  return HEX_LENGTH[algorithm] === hex.length;
}

/** The digest of `bytes`, by the algorithm of another digest. */
export function digestLike(digest: string, bytes: Uint8Array): string {
  const algorithm = digest.startsWith("sha512:") ? "sha512" : "sha256";
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
}
