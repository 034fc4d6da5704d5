import { createHash, X509Certificate } from "node:crypto";
import { calculateJwkThumbprint } from "jose";
import { ConfigError } from "../../platform/index.ts";

/** Certificates that a chain may have between the leaf and a trusted one. */
const MAX_INTERMEDIATES = 4;

const PEM = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** Certificates that tokens of an external service are verified with. */
export interface TrustedCertificates {
  /** By what a header may call the key: see `keyNames`. */
  byKeyName(kid: string): X509Certificate | undefined;
  /** The leaf of a chain (`x5c`), if it is one of the certificates or leads to one. @see RFC 7515 section 4.1.6 */
  byChain(chain: readonly string[], now: number): X509Certificate | undefined;
}

/**
 * Reads a bundle of certificates in PEM.
 * @throws {ConfigError} if there is none in it, or one that cannot be read
 */
export function parseCertificates(pem: string): readonly X509Certificate[] {
  try {
    const certificates = (pem.match(PEM) ?? []).map((text) => new X509Certificate(text));
    if (certificates.length > 0) return certificates;
  } catch {
    // Not a certificate, whatever its frame says.
  }
  throw new ConfigError("TOKEN_CERTIFICATES: expected certificates in PEM");
}

/** Looks for keys among certificates that are trusted. */
export async function trustCertificates(trusted: readonly X509Certificate[]): Promise<TrustedCertificates> {
  const named = new Map<string, X509Certificate>();
  for (const certificate of trusted) for (const name of await keyNames(certificate)) named.set(name, certificate);
  const isTrusted = ({ raw }: X509Certificate) => trusted.some((each) => each.raw.equals(raw));
  return {
    byKeyName: (kid) => named.get(kid),
    byChain(chain, now) {
      const [leaf, ...intermediates] = chain.slice(0, MAX_INTERMEDIATES + 1).map(parseDer);
      if (leaf === undefined || !isInTime(leaf, now)) return undefined;
      let current = leaf;
      for (const next of [...intermediates, undefined]) {
        const below = current;
        if (isTrusted(below) || trusted.some((issuer) => issued(issuer, below, now))) return leaf;
        if (next === undefined || !issued(next, below, now)) return undefined;
        current = next;
      }
      return undefined;
    },
  };
}

/** Whether `now` (milliseconds) is in the time that a certificate is for. */
export function isInTime(certificate: X509Certificate, now: number): boolean {
  return Date.parse(certificate.validFrom) <= now && now <= Date.parse(certificate.validTo);
}

/**
 * What headers call the key of a certificate: its RFC 7638 thumbprint, and the fingerprint of libtrust, which is 240 bits
 * of the SHA-256 of the key in base32, in groups of four.
 */
async function keyNames({ publicKey }: X509Certificate): Promise<string[]> {
  const hash = createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest();
  const fingerprint = base32(hash.subarray(0, 30)).match(/.{4}/g)?.join(":") ?? "";
  return [await calculateJwkThumbprint(publicKey.export({ format: "jwk" })), fingerprint];
}

/** RFC 4648 section 6, of a multiple of five bytes. */
function base32(bytes: Uint8Array): string {
  let bits = "";
  for (const byte of bytes) bits += byte.toString(2).padStart(8, "0");
  return (bits.match(/.{5}/g) ?? [])
    .map((five) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[Number.parseInt(five, 2)])
    .join("");
}

function parseDer(base64: string): X509Certificate | undefined {
  try {
    return new X509Certificate(Buffer.from(base64, "base64"));
  } catch {
    return undefined;
  }
}

function issued(issuer: X509Certificate, certificate: X509Certificate, now: number): boolean {
  try {
    return (
      issuer.ca && isInTime(issuer, now) && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
    );
  } catch {
    // A key of a kind that the platform does not know.
    return false;
  }
}
