import { type ResourceClient, type ResourceObject, sameJson } from "../../resources/index.ts";
import { REGISTRIES, type RegistrySpec, type RegistryStatus, SYNC_API_VERSION } from "../kinds/index.ts";
import { withDisplayName } from "./object-names.ts";
import { type GivenSecret, writeSecrets } from "./owned-secrets.ts";
import type { WantedRegistry } from "./registry-view.ts";
import type { RestCall } from "./route.ts";

type RegistryObject = ResourceObject<RegistrySpec, RegistryStatus>;

/** A registry as it is to be, with the secrets that were given for it. */
export interface RegistryWrite {
  readonly namespace: string;
  /** Of the object. */
  readonly name: string;
  /** What people call it. */
  readonly display: string;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
  /** Makes the wanted state from the present one, without references to the secrets that were given. */
  readonly change: (current: WantedRegistry | undefined) => WantedRegistry;
}

/** How a registry is written. */
export interface WriteOptions {
  /** Writes nothing if it is one that does not. */
  readonly client?: ResourceClient;
  /** Whether a secret is the one that is kept. */
  readonly unless?: (secret: GivenSecret) => Promise<boolean>;
}

/**
 * Makes or changes a registry and the SecureValues that it signs in with. An empty password leaves it as it is.
 * @throws {StatusError | RestFault}
 */
export async function writeRegistry(
  call: RestCall,
  { namespace, name, display, password = "", token = "", change }: RegistryWrite,
  { client = call.client, unless }: WriteOptions = {},
): Promise<{ readonly object: RegistryObject; readonly status: "created" | "configured" | "unchanged" }> {
  const given: GivenSecret[] = [
    ...(password === "" ? [] : [{ name: `registry-${name}`, field: "password", value: password }]),
    ...(token === "" ? [] : [{ name: `registry-${name}-token`, field: "token", value: token }]),
  ];
  const current = await call.client.find<RegistrySpec, RegistryStatus>(REGISTRIES, { namespace, name });
  const specFrom = (before: WantedRegistry | undefined) => withSecrets(change(before), given);
  const write = async (writer: ResourceClient): Promise<RegistryObject> =>
    (current === undefined
      ? await writer.create<WantedRegistry, RegistryStatus>(REGISTRIES, {
          apiVersion: SYNC_API_VERSION,
          kind: "Registry",
          metadata: { name, namespace, annotations: withDisplayName(undefined, name, display) },
          spec: specFrom(undefined),
        })
      : await writer.update<WantedRegistry, RegistryStatus>(REGISTRIES, { namespace, name }, (before) => ({
          ...before,
          metadata: { ...before.metadata, annotations: withDisplayName(before.metadata.annotations, name, display) },
          spec: specFrom(before.spec),
        }))) as RegistryObject;
  // What is refused must not have changed a secret.
  if (given.length > 0 && client === call.client) await write(call.dryClient);
  const secrets = await writeSecrets(call, { kind: REGISTRIES, namespace, name }, given, client, unless);
  let object: RegistryObject;
  try {
    object = await write(client);
  } catch (error) {
    await secrets.undo();
    throw error;
  }
  await secrets.adopt(object);
  if (current === undefined) return { object, status: "created" };
  const isSame =
    secrets.changed === 0 &&
    sameJson(current.spec, object.spec) &&
    sameJson(current.metadata.annotations ?? {}, object.metadata.annotations ?? {});
  return { object, status: isSame ? "unchanged" : "configured" };
}

/** A password and a token do not go together: the one that is given takes the place of the other. */
function withSecrets(spec: WantedRegistry, given: readonly GivenSecret[]): WantedRegistry {
  let wanted = spec;
  for (const { field, name } of given) {
    const { passwordRef: _password, tokenRef: _token, ...others } = wanted;
    wanted = { ...others, ...(field === "password" ? { passwordRef: { name } } : { tokenRef: { name } }) };
  }
  return wanted;
}
