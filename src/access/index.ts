export {
  accessEntry,
  type Actor,
  type Audit,
  AuditChain,
  type AuditEntry,
  AuditLog,
  type AuditLogPorts,
  type AuditPage,
  type AuditQuery,
  type AuditRecord,
  AuditStore,
  type ChainBreak,
  type ChainEnds,
  type ChainLink,
  type FailedSignIn,
  type Outcome,
  repositoryEntry,
  sessionEntry,
  type Verification,
} from "./audit/index.ts";
export { type AttemptGuard, attemptGuard, type AttemptSubject } from "./attempt-guard.ts";
export type { Authenticator, PresentedCredential } from "./authenticator.ts";
export { type ChallengeDetails, publicOrigin } from "./challenge.ts";
export { configuredCheck } from "./configured-store.ts";
export { createGate, type Gate, type GatePorts, type GateSettings } from "./gate.ts";
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
  type ScopeAccess,
  serviceAccountIdentity,
  systemIdentity,
} from "./identity.ts";
export type { AccessDecision, AccessRequest, Grant, Policy, Rule } from "./policy.ts";
export { loginGuardClass } from "./login-guard.ts";
export { passwordAuthenticator, type PasswordPorts } from "./password-authenticator.ts";
export {
  newPassword,
  PASSWORD_LENGTH,
  PASSWORD_MESSAGES,
  PasswordHasher,
  type PasswordProblem,
} from "./password-hash.ts";
export { passwordIds } from "./password-ids.ts";
export { PasswordStore } from "./password-store.ts";
export { looksLikeApiKey, looksLikeJwt, SESSION_COOKIES } from "./presented-credential.ts";
export { REPOSITORIES, repositoryAccess } from "./repository-access.ts";
export { BOOTSTRAP_ADMIN, settingsAccounts } from "./settings-accounts.ts";
export { API_GROUPS } from "./api-groups.ts";
export { BUILT_IN_ROLES, type BuiltInRole } from "./built-in-roles.ts";
export { matchesGlob } from "./glob.ts";
export { compilePolicy, mastersPolicy } from "./policy-evaluation.ts";
export type { Account, ClaimRule, Directory, Issuer, IssuerLogin } from "./directory.ts";
export { apiKeyPrefix, hashApiKey, newApiKey, parseApiKey } from "./api-key.ts";
export type { BasicCredential } from "./basic.ts";
export { CredentialStore, type CredentialSummary } from "./credential-store.ts";
export {
  endOfMaker,
  issueApiKey,
  type IssuedKey,
  KEY_LIFETIME,
  type KeyRequest,
  MAX_ACTIVE_KEYS,
  rotateApiKey,
} from "./issue-api-key.ts";
export { keyAuthenticator, type KeyAuthenticatorPorts } from "./key-authenticator.ts";
export { keyState, KeyStore, type StoredKey } from "./key-store.ts";
export { canMakeKeys, kubeconfig, kubeconfigHandler, type KubeconfigPorts } from "./kubeconfig.ts";
export { equalSecrets } from "./secrets.ts";
export type { SettingsAccount } from "./settings-accounts.ts";
export {
  ACCESS_ROUTES,
  accessApi,
  type AccessRoute,
  type AccessServices,
  createCsrf,
  type Csrf,
  CSRF_HEADER,
  ownOrigin,
} from "./http/index.ts";
export {
  pruneSessions,
  sessionAuthenticator,
  type SessionAuthenticatorPorts,
  Sessions,
  sessionStanding,
  SessionStore,
} from "./session/index.ts";
export {
  createExternalIssuer,
  createTokenAuthenticator,
  type CredentialStanding,
  jwksHandler,
  type KeyWrapper,
  RefreshTokenStore,
  scopeOf,
  SigningKeys,
  SigningKeyStore,
  tokenHandler,
  type TokenHttpServices,
} from "./token/index.ts";
export {
  type AuthorizationCode,
  type AuthorizationCodePorts,
  createAuthorizationCode,
  createCloudflareAccess,
  createFederation,
  createIssuerKeys,
  createProviders,
  type IssuerKeys,
} from "./oidc/index.ts";
