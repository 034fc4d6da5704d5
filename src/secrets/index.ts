export { createSecrets, type Secrets } from "./compose.ts";
export type { SecureValueSpec } from "./kinds.ts";
export { SECURE_VALUES } from "./names.ts";
export type { SecretDecrypter } from "./secret-decrypter.ts";
export { secretReference, secretReferenceAnywhere } from "./secret-reference.ts";
