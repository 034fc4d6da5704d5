export type { Credential } from "./credential.ts";
export { registryAddress, registryIdentity, type RegistryType } from "./registry-type.ts";
export { createRemoteRegistry, type RemoteRegistryOptions } from "./remote-registry.ts";
