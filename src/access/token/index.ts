export type { CredentialStanding } from "./credential-standing.ts";
export { createExternalIssuer } from "./external-issuer.ts";
export { REFRESH_TOKENS_PER_IDENTITY, RefreshTokenStore } from "./refresh-token-store.ts";
export { SigningKeyStore } from "./signing-key-store.ts";
export { SigningKeys } from "./signing-keys.ts";
export { createTokenAuthenticator } from "./token-authenticator.ts";
export {
  type TokenAnswer,
  tokenByRefresh,
  tokenFor,
  type TokenRequest,
  type TokenServicePorts,
} from "./token-service.ts";
