export type { Credential } from "./credential.ts";
export { detectRegistryType, registryAddress, registryIdentity, type RegistryType } from "./registry-type.ts";
export { createRemoteRegistry, type RemoteRegistryOptions } from "./remote-registry.ts";
