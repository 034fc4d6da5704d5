export { createSecrets, secretGroup, type SecretPorts, type Secrets } from "./group.ts";
export { KEEPERS, SECRET_GROUP, SECURE_VALUES, type SecureValueSpec, type SecureValueStatus } from "./kinds.ts";
export type { RotationProgress, SecretMaintenance } from "./maintenance.ts";
