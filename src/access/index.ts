export { addressBlock } from "./address-block.ts";
export {
  accessEntry,
  type Audit,
  type AuditEntry,
  type FailedSignIn,
  failedSignInEntry,
  type Outcome,
  repositoryEntry,
  sessionEntry,
} from "./audit.ts";
export { type AttemptGuard, attemptGuard, type AttemptSubject } from "./attempt-guard.ts";
export { publicOrigin } from "./challenge.ts";
export type { Authenticator, PresentedCredential } from "./authenticator.ts";
export { configuredCheck } from "./configured-store.ts";
export { createGate, type Gate } from "./gate.ts";
export { createHashing, type Hashing } from "./hashing.ts";
export { type Htpasswd, parseHtpasswd } from "./htpasswd.ts";
export {
  ANONYMOUS,
  type AuthenticationFailure,
  type CredentialUse,
  GROUPS,
  type Identity,
  isAnonymous,
  parseServiceAccountIdentity,
  type Principal,
  type RepositoryVerb,
  serviceAccountIdentity,
  systemIdentity,
  WAIT_MESSAGES,
  type Writer,
} from "./identity.ts";
export type { AccessDecision, AccessRequest, Grant, Policy, Rule } from "./policy.ts";
export { loginGuardClass } from "./login-guard.ts";
export { passwordAuthenticator, type PasswordPorts } from "./password-authenticator.ts";
export { newPassword, PASSWORD_MESSAGES, PasswordHasher } from "./password-hash.ts";
export { passwordIds } from "./password-ids.ts";
export { PasswordStore } from "./password-store.ts";
export { SESSION_COOKIES } from "./presented-credential.ts";
export { REPOSITORIES, repositoryAccess } from "./repository-access.ts";
export { BOOTSTRAP_ADMIN, settingsAccounts } from "./settings-accounts.ts";
export { API_GROUPS } from "./api-groups.ts";
export { BUILT_IN_ROLES } from "./built-in-roles.ts";
export { compilePolicy } from "./policy-evaluation.ts";
export type { Account, ClaimRule, Directory, Issuer, IssuerLogin } from "./directory.ts";
export { apiKeyPrefix, newApiKey, parseApiKey } from "./api-key.ts";
export type { BasicCredential } from "./basic.ts";
export { CredentialStore, type CredentialSummary } from "./credential-store.ts";
export {
  canMakeKeys,
  endOfMaker,
  issueApiKey,
  issuerOfMaker,
  type IssuedKey,
  KEY_LIFETIME,
  MAX_ACTIVE_KEYS,
  rotateApiKey,
} from "./issue-api-key.ts";
export { keyAuthenticator } from "./key-authenticator.ts";
export { keyState, KeyStore, type StoredKey } from "./key-store.ts";
export { equalSecrets } from "./secrets.ts";
export type { SettingsAccount } from "./settings-accounts.ts";
export {
  createCsrf,
  type Csrf,
  ownOrigin,
  pruneSessions,
  publicScheme,
  sameOrigin,
  type Scheme,
  sessionAuthenticator,
  Sessions,
  sessionStanding,
  SessionStore,
  type StartedSession,
} from "./session/index.ts";
export {
  createExternalIssuer,
  createTokenAuthenticator,
  type CredentialStanding,
  REFRESH_TOKENS_PER_IDENTITY,
  RefreshTokenStore,
  SigningKeys,
  SigningKeyStore,
  type TokenAnswer,
  tokenByRefresh,
  tokenFor,
  type TokenRequest,
  type TokenServicePorts,
} from "./token/index.ts";
export {
  type AuthorizationCode,
  createAuthorizationCode,
  createCloudflareAccess,
  createFederation,
  createIssuerKeys,
  createProviders,
  type LoginClaims,
} from "./oidc/index.ts";
