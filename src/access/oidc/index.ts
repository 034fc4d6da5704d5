export {
  type AuthorizationCode,
  type AuthorizationCodePorts,
  createAuthorizationCode,
  type LoginClaims,
  type LoginFailure,
  type LoginStart,
} from "./authorization-code.ts";
export { createCloudflareAccess } from "./cloudflare-access.ts";
export { createFederation } from "./federation.ts";
export { claimedIssuer, type IdentityClaims, verifyIdentityToken } from "./identity-token.ts";
export { createIssuerKeys, type IssuerKeys, type KeySource } from "./issuer-keys.ts";
export { createProviders, type Providers } from "./provider-metadata.ts";
