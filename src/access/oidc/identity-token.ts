import { decodeJwt, errors, jwtVerify, type JWTPayload } from "jose";
import { type Clock, err, ok, type Result } from "../../platform/index.ts";
import type { IssuerKeys, KeySource } from "./issuer-keys.ts";

/** Signatures that need a private key. What anyone could make who knows the public one is not among them. */
export const IDENTITY_TOKEN_ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
];

/** How far clocks may differ, in seconds. */
const CLOCK_TOLERANCE = 60;

/** Longer ones are not read, in characters. */
const MAX_LENGTH = 16 * 1024;

/** Claims of a token that was verified. @see OpenID Connect Core 1.0, section 2 */
export interface IdentityClaims extends JWTPayload {
  readonly iss: string;
  readonly sub: string;
  /** Seconds since the Unix epoch. */
  readonly exp: number;
}

/** Why a token proves nothing. */
export interface TokenFailure {
  readonly reason:
    | "malformed"
    | "wrong-algorithm"
    | "wrong-signature"
    | "unknown-key"
    | "keys-unavailable"
    | "wrong-issuer"
    | "wrong-audience"
    | "expired"
    | "not-yet-valid"
    | "missing-claim";
  /** For logs and the audit; holds nothing of the token. */
  readonly detail?: string;
}

/** The issuer that a token says it is from, before anything is verified; `undefined` if it is no JWT. */
export function claimedIssuer(token: string): string | undefined {
  if (token.length > MAX_LENGTH || !/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)) return undefined;
  try {
    const { iss } = decodeJwt(token);
    return typeof iss === "string" ? iss : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Verifies an identity token: signed by its issuer, for one of `audiences`, and in its time. Keys come from the issuer
 * alone; whatever addresses or keys the token's header holds are not looked at.
 * @see OpenID Connect Core 1.0, section 3.1.3.7
 */
export async function verifyIdentityToken(
  token: string,
  expected: { readonly source: KeySource; readonly audiences: readonly string[] },
  ports: { readonly keys: IssuerKeys; readonly clock: Clock },
): Promise<Result<IdentityClaims, TokenFailure>> {
  if (token.length > MAX_LENGTH) return err({ reason: "malformed", detail: "longer than 16 KiB" });
  if (expected.audiences.length === 0) return err({ reason: "wrong-audience", detail: "no audience is configured" });
  const first = await verifyOnce(token, expected, ports, false);
  // The issuer may have a new key.
  if (first.ok || first.error.reason !== "unknown-key") return first;
  return verifyOnce(token, expected, ports, true);
}

async function verifyOnce(
  token: string,
  { source, audiences }: { readonly source: KeySource; readonly audiences: readonly string[] },
  { keys, clock }: { readonly keys: IssuerKeys; readonly clock: Clock },
  again: boolean,
): Promise<Result<IdentityClaims, TokenFailure>> {
  const found = await keys.keysOf(source, again);
  if (!found.ok) return err({ reason: "keys-unavailable", detail: found.error.reason });
  try {
    const { payload } = await jwtVerify(token, found.value, {
      algorithms: [...IDENTITY_TOKEN_ALGORITHMS],
      issuer: source.issuer,
      audience: [...audiences],
      clockTolerance: CLOCK_TOLERANCE,
      currentDate: new Date(clock()),
      requiredClaims: ["iss", "sub", "aud", "exp"],
    });
    const { iss, sub, exp } = payload;
    if (typeof iss !== "string" || typeof sub !== "string" || exp === undefined) return err({ reason: "malformed" });
    return ok({ ...payload, iss, sub, exp });
  } catch (error) {
    return err(failureOf(error));
  }
}

const CLAIM_FAILURES: Readonly<Record<string, TokenFailure["reason"]>> = {
  iss: "wrong-issuer",
  aud: "wrong-audience",
  nbf: "not-yet-valid",
};

/** @throws what is no failure of the token */
function failureOf(error: unknown): TokenFailure {
  if (error instanceof errors.JWTExpired) return { reason: "expired" };
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.reason === "missing") return { reason: "missing-claim", detail: error.claim };
    return { reason: CLAIM_FAILURES[error.claim] ?? "malformed", detail: error.claim };
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return { reason: "wrong-algorithm" };
  if (error instanceof errors.JWKSNoMatchingKey) return { reason: "unknown-key" };
  if (error instanceof errors.JWKSMultipleMatchingKeys) return { reason: "malformed", detail: "no kid" };
  if (error instanceof errors.JWSSignatureVerificationFailed) return { reason: "wrong-signature" };
  if (error instanceof errors.JOSEError) return { reason: "malformed", detail: error.code };
  // Keys that the platform cannot import, or that are too weak: the issuer's fault, not a bug here.
  if (error instanceof TypeError || error instanceof DOMException) return { reason: "wrong-signature", detail: "key" };
  throw error;
}
