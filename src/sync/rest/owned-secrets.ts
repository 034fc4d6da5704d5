import { ignoring, type KindKey, type ResourceObject } from "../../resources/index.ts";
import { SYNC_API_VERSION, SYNC_GROUP } from "../kinds/index.ts";
import { RestFault } from "./rest-fault.ts";
import type { RestCall } from "./route.ts";
import { SECURE_VALUES } from "../../secrets/index.ts";

/** The annotation of a SecureValue that says which field of which object it was made for. */
const SECRET_OF = "sync.entrepot.dev/secret-of";

/** A secret that was given for a field of an object. */
export interface GivenSecret {
  /** Name of its SecureValue. */
  readonly name: string;
  /** The field, such as `password`. */
  readonly field: string;
  readonly value: string;
}

interface SecureValueContent {
  readonly value?: string;
  readonly decrypters?: readonly string[];
}

/** What was written for an object. */
export interface WrittenSecrets {
  /** How many are new or have a new value. */
  readonly changed: number;
  /** Takes back what is new, after the object could not be written. */
  undo(): Promise<void>;
  /** Lets them go when the object goes. */
  adopt(owner: ResourceObject): Promise<void>;
}

/**
 * Keeps secrets that came with an object as SecureValues, which only mirroring may read. Whoever gives one must be
 * allowed to write it. `client` may be one that writes nothing.
 * @param unless tells that a value is what is kept, so that there is nothing to write
 * @throws {RestFault} 403; 409 if there is a SecureValue of that name that is not of this field
 */
export async function writeSecrets(
  call: RestCall,
  { kind, namespace, name }: { readonly kind: KindKey; readonly namespace: string; readonly name: string },
  secrets: readonly GivenSecret[],
  client = call.client,
  unless: (secret: GivenSecret) => Promise<boolean> = async () => false,
): Promise<WrittenSecrets> {
  const made: string[] = [];
  let changed = 0;
  for (const secret of secrets) {
    const of = `${kind.plural}/${name}/${secret.field}`;
    const there = await call.client.find<SecureValueContent>(SECURE_VALUES, { namespace, name: secret.name });
    if (there !== undefined && there.metadata.annotations?.[SECRET_OF] !== of) {
      throw new RestFault(409, `the SecureValue ${secret.name} is there and is not that of ${of}`);
    }
    const verb = there === undefined ? "create" : "update";
    await call.require({ verb, kind: SECURE_VALUES }, namespace, secret.name);
    const spec = { value: secret.value, decrypters: [SYNC_GROUP] };
    if (there === undefined) {
      await client.create<SecureValueContent>(SECURE_VALUES, {
        apiVersion: "secret.entrepot.dev/v1",
        kind: "SecureValue",
        metadata: { name: secret.name, namespace, annotations: { [SECRET_OF]: of } },
        spec,
      });
      made.push(secret.name);
    } else {
      if (await unless(secret)) continue;
      await client.update<SecureValueContent>(SECURE_VALUES, { namespace, name: secret.name }, (current) => ({
        ...current,
        spec,
      }));
    }
    changed += 1;
  }
  return {
    changed,
    async undo() {
      if (client !== call.client) return;
      for (const secret of made)
        await client.delete(SECURE_VALUES, { namespace, name: secret }).catch(ignoring("NotFound"));
    },
    async adopt(owner) {
      if (client !== call.client) return;
      const reference = {
        apiVersion: SYNC_API_VERSION,
        kind: owner.kind,
        name: owner.metadata.name,
        uid: owner.metadata.uid,
      };
      for (const secret of secrets) {
        await client.update<SecureValueContent>(SECURE_VALUES, { namespace, name: secret.name }, (current) => ({
          ...current,
          metadata: { ...current.metadata, ownerReferences: [reference] },
        }));
      }
    },
  };
}
