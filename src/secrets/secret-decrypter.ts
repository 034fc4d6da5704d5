import type { Result } from "../platform/index.ts";

/** Why a value was not given. What exactly failed is in the log, never here. */
export type DecryptFailure = "not-found" | "not-authorized" | "failed";

/**
 * Reads secrets for a part of the platform. It is a service call and never a verb of the API: no request can ask for a
 * value. A service gets a value if the SecureValue lists it in `spec.decrypters`; every attempt is written to the audit.
 * @see Grafana, pkg/registry/apis/secret/contracts, DecryptService
 */
export interface SecretDecrypter {
  /**
   * The values of SecureValues of one namespace by name, one entry for each of `names`.
   * @param service who asks, as `spec.decrypters` names it, for example `datasource.entrepot.dev`
   */
  decrypt(
    service: string,
    namespace: string,
    names: readonly string[],
  ): Promise<ReadonlyMap<string, Result<string, DecryptFailure>>>;
}
