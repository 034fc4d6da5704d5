export type { CredentialStanding } from "./credential-standing.ts";
export { createExternalIssuer } from "./external-issuer.ts";
export { RefreshTokenStore } from "./refresh-token-store.ts";
export { SigningKeyStore } from "./signing-key-store.ts";
export { SigningKeys } from "./signing-keys.ts";
export { createTokenAuthenticator } from "./token-authenticator.ts";
export { jwksHandler, tokenHandler, type TokenHttpServices } from "./token-http.ts";
