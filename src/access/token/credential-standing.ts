import type { CredentialUse } from "../identity.ts";

/** What tells whether the credential that a token was made from is still what it was. */
export interface CredentialStanding {
  /** Whether an API key is there, of this identity, neither revoked nor expired. */
  isActive(credential: CredentialUse, identity: string): Promise<boolean>;
  /** Whether a password of that id is the user's now (`PasswordIds`). */
  isCurrent(user: string, id: string): Promise<boolean>;
}

/** Credentials that the token service takes. Sessions, assertions and tokens of its own are not among them. */
const ACCEPTED: ReadonlySet<CredentialUse["type"]> = new Set(["none", "password", "api-key", "federated", "internal"]);

/** Whether a token may be made from the credential. */
export function makesTokens(credential: CredentialUse): boolean {
  return ACCEPTED.has(credential.type);
}

/**
 * Whether a refresh token may be made from the credential: only if it will show when the credential is revoked or
 * replaced. Identity tokens of CI jobs end on their own.
 */
export function makesRefreshTokens(credential: CredentialUse): boolean {
  return (credential.type === "password" || credential.type === "api-key") && credential.id !== undefined;
}

/** Whether the credential that a token was made of still proves who it proved then. */
export async function stillStands(
  standing: CredentialStanding,
  credential: CredentialUse,
  identity: string,
): Promise<boolean> {
  if (credential.type === "api-key") return standing.isActive(credential, identity);
  if (credential.type !== "password") return makesTokens(credential);
  return credential.id !== undefined && standing.isCurrent(identity, credential.id);
}
