import { err, type Log, ok, type Outbound, type Result } from "../platform/index.ts";
import type { ResourceClient } from "../resources/index.ts";
import type { DecryptFailure, SecretDecrypter } from "./secret-decrypter.ts";
import type { SecretAuditStore } from "./audit-store.ts";
import { currentVersion } from "./current-version.ts";
import type { KeeperSpec, SecureValueSpec } from "./kinds.ts";
import type { SystemKeeper } from "./system-keeper.ts";
import { readVault } from "./vault-keeper.ts";
import { KEEPERS, SECRET_GROUP, SECURE_VALUES, SYSTEM_KEEPER } from "./names.ts";

/** What decrypting works with. */
export interface DecrypterPorts {
  readonly client: () => ResourceClient;
  readonly keeper: SystemKeeper;
  readonly audit: SecretAuditStore;
  readonly outbound: Outbound;
  readonly log: Log;
}

interface Attempt {
  readonly result: Result<string, DecryptFailure>;
  readonly version: number | undefined;
}

/** Reads values for services that SecureValues list. */
export class Decrypter implements SecretDecrypter {
  readonly #ports: DecrypterPorts;

  constructor(ports: DecrypterPorts) {
    this.#ports = ports;
  }

  async decrypt(
    service: string,
    namespace: string,
    names: readonly string[],
  ): Promise<ReadonlyMap<string, Result<string, DecryptFailure>>> {
    const attempts = await Promise.all(
      [...new Set(names)].map(async (name) => [name, await this.#attempt(service, namespace, name)] as const),
    );
    // Before anything is given away: what cannot be audited is not read.
    await this.#ports.audit.append(
      attempts.map(([name, { result, version }]) => ({
        service,
        namespace,
        name,
        version,
        outcome: result.ok ? "ok" : result.error,
      })),
    );
    return new Map(attempts.map(([name, { result }]) => [name, result]));
  }

  async #attempt(service: string, namespace: string, name: string): Promise<Attempt> {
    const object = await this.#ports.client().find<SecureValueSpec>(SECURE_VALUES, { namespace, name });
    const current = currentVersion(object);
    if (object?.spec === undefined || current === undefined || object.metadata.deletionTimestamp !== undefined) {
      return { result: err("not-found"), version: undefined };
    }
    const { version } = current;
    if (object.spec.decrypters?.includes(service) !== true) return { result: err("not-authorized"), version };
    const value = await this.#read(namespace, name, object.spec, current.id);
    if (value === undefined) {
      this.#ports.log.error("secret.decrypt-failed", { namespace, name, version, keeper: object.spec.keeper });
      return { result: err("failed"), version };
    }
    return { result: ok(value), version };
  }

  async #read(
    namespace: string,
    name: string,
    spec: SecureValueSpec,
    id: string | undefined,
  ): Promise<string | undefined> {
    const { keeper = SYSTEM_KEEPER, ref } = spec;
    if (keeper === SYSTEM_KEEPER) return id === undefined ? undefined : this.#ports.keeper.expose(namespace, name, id);
    return ref === undefined ? undefined : this.#readElsewhere(namespace, keeper, ref);
  }

  /** A value that another service keeps, with a token that `system` keeps. */
  async #readElsewhere(namespace: string, keeperName: string, ref: string): Promise<string | undefined> {
    const keeper = await this.#ports.client().find<KeeperSpec>(KEEPERS, { namespace, name: keeperName });
    const vault = keeper?.spec?.vault;
    if (vault === undefined) return undefined;
    // A token kept by a keeper that needs a token to read would never end.
    const holder = await this.#ports
      .client()
      .find<SecureValueSpec>(SECURE_VALUES, { namespace, name: vault.token.name });
    if ((holder?.spec?.keeper ?? SYSTEM_KEEPER) !== SYSTEM_KEEPER) return undefined;
    const token = (await this.decrypt(SECRET_GROUP, namespace, [vault.token.name])).get(vault.token.name);
    return token?.ok === true ? readVault(this.#ports.outbound, vault, token.value, ref) : undefined;
  }
}
