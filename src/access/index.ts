export { createGate, type Gate } from "./gate.ts";
export type { AuthenticationFailure, Identity, RepositoryVerb } from "./identity.ts";
