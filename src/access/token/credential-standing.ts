import type { CredentialUse } from "../identity.ts";

/** What tells whether the credential that a token was made from is still what it was. */
export interface CredentialStanding {
  /** Whether an API key is there, of this identity, neither revoked nor expired. */
  isActive(credential: CredentialUse, identity: string): Promise<boolean>;
  /** When the user's stored password was set, in milliseconds since the Unix epoch; `undefined` if none is stored. */
  passwordChangedAt(user: string): Promise<number | undefined>;
}

/** Credentials that the token service takes. Sessions, assertions and tokens of its own are not among them. */
const ACCEPTED: ReadonlySet<CredentialUse["type"]> = new Set(["none", "password", "api-key", "federated", "internal"]);

/** Whether a token may be made from the credential. */
export function makesTokens(credential: CredentialUse): boolean {
  return ACCEPTED.has(credential.type);
}

/**
 * Whether a refresh token may be made from the credential: only if it will show when the credential is revoked or
 * replaced. It does not for passwords that come from settings, and identity tokens of CI jobs end on their own.
 */
export function makesRefreshTokens(credential: CredentialUse): boolean {
  return (credential.type === "password" || credential.type === "api-key") && credential.id !== undefined;
}

/**
 * Whether the credential of which a token was made at `madeAt` (milliseconds) still proves who it proved then. The id of
 * a stored password is the time it was set: comparing it also refuses a token that was made, from memory, of a password
 * that had just been replaced.
 */
export async function stillStands(
  standing: CredentialStanding,
  credential: CredentialUse,
  identity: string,
  madeAt: number,
): Promise<boolean> {
  if (credential.type === "api-key") return standing.isActive(credential, identity);
  if (credential.type !== "password") return makesTokens(credential);
  const changedAt = await standing.passwordChangedAt(identity);
  if (credential.id !== undefined) return credential.id === String(changedAt);
  return changedAt === undefined || changedAt <= madeAt;
}
