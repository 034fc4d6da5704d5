import type { Clock, Database, Log, Outbound } from "../platform/index.ts";
import type { AdmissionAttributes, GroupBuilder, ResourceClient, StatusCause } from "../resources/index.ts";
import type { SecretDecrypter } from "./secret-decrypter.ts";
import { SecretAuditStore } from "./audit-store.ts";
import { auditConnecter, rotateConnecter } from "./connecters.ts";
import { Decrypter } from "./decrypter.ts";
import { keeperHooks } from "./keeper-hooks.ts";
import { keeperKind, type KeeperSpec, secureValueKind } from "./kinds.ts";
import { SecretMaintenance } from "./maintenance.ts";
import { secureValueHooks } from "./secure-value-hooks.ts";
import { SystemKeeper } from "./system-keeper.ts";
import { ValueStore } from "./value-store.ts";
import { KEEPERS, SECRET_GROUP, SECRET_VERSION } from "./names.ts";
import { DataKeys, DataKeyStore, MasterKeys } from "./keys/index.ts";

/** What secrets work with. */
export interface SecretPorts {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly outbound: Outbound;
  /** The setting `SECRETS_KEY`. */
  readonly secretsKey: string | undefined;
  /** Asked for when it is needed, not before: it may be made after the group. */
  readonly client: () => ResourceClient;
  /** How long a version that is no longer in use is kept, in milliseconds. */
  readonly grace: number;
}

/** Secrets, as the composition root uses them. */
export interface Secrets {
  readonly group: GroupBuilder;
  readonly decrypter: SecretDecrypter;
  readonly maintenance: SecretMaintenance;
  /** Encrypts what is kept elsewhere; `undefined` without `SECRETS_KEY`. */
  readonly wrapper: Pick<MasterKeys, "wrap" | "unwrap"> | undefined;
}

/** Makes everything there is of secrets: the group for the registry, reading for services, steps for maintenance. */
export function createSecrets(ports: SecretPorts): Secrets {
  const { database, clock, log, outbound, client } = ports;
  const values = new ValueStore(database, clock);
  const keyStore = new DataKeyStore(database, clock);
  const masterKeys = new MasterKeys(ports.secretsKey);
  const keys = new DataKeys(keyStore, masterKeys, clock);
  const keeper = new SystemKeeper(values, keys, clock);
  const audit = new SecretAuditStore(database, clock);
  const maintenance = new SecretMaintenance({
    values,
    keyStore,
    keys,
    keeper,
    audit,
    clock,
    log,
    grace: ports.grace,
  });
  const group: GroupBuilder = {
    group: SECRET_GROUP,
    versions: [SECRET_VERSION],
    kinds: [
      {
        declaration: secureValueKind,
        hooks: () =>
          secureValueHooks({
            store: (...given) => keeper.store(...given),
            expose: (...given) => keeper.expose(...given),
            discard: (id) => values.discard(id),
          }),
        connecters: [auditConnecter(audit)],
      },
      {
        declaration: keeperKind,
        hooks: () => keeperHooks,
        connecters: [rotateConnecter(maintenance)],
      },
    ],
    validate: (attributes) => keeperCauses(attributes, outbound),
  };
  return {
    group,
    decrypter: new Decrypter({ client, keeper, audit, outbound, log }),
    maintenance,
    wrapper: ports.secretsKey === undefined ? undefined : masterKeys,
  };
}

/** What is wrong with a Keeper: an address that will not be called. SecureValues are checked by their storage. */
function keeperCauses({ resource, operation, object }: AdmissionAttributes, outbound: Outbound): StatusCause[] {
  if (resource !== KEEPERS.plural || operation === "DELETE") return [];
  const { vault } = (object.spec ?? {}) as KeeperSpec;
  if (vault === undefined) return [];
  const url = URL.canParse(vault.address) ? new URL(vault.address) : undefined;
  const refusal = url === undefined ? { reason: "bad-address" } : outbound.refusal(url);
  if (refusal === undefined) return [];
  const message =
    refusal.reason === "private-address"
      ? "Forbidden: a private address, and OUTBOUND_PRIVATE does not allow those"
      : "Invalid value: must be an http or https address without credentials";
  return [{ reason: "FieldValueInvalid", field: "spec.vault.address", message }];
}
