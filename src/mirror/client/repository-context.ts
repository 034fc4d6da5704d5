import type { LearnedCapabilities } from "./capabilities.ts";
import type { RegistryClient } from "./registry-client.ts";

/** What the operations on one repository share. */
export interface RepositoryContext {
  readonly client: RegistryClient;
  /** The whole name, as the registry has it. */
  readonly name: string;
  /** What a token has to allow for the operations that the repository was opened for. */
  readonly scopes: readonly string[];
  readonly capabilities: LearnedCapabilities;
}
