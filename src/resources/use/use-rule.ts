import type { Identity } from "../../access/index.ts";
import type { ServedResource } from "../kinds/api-model.ts";
import type { Authorizer } from "../authorizer.ts";
import type { KindKey } from "../client.ts";
import type { ServedKind } from "../kinds/kind.ts";
import type { ResourceInput } from "../objects/object.ts";
import { ignoring, type StatusCause } from "../status-error.ts";
import type { RequestContext } from "../storage/storage.ts";
import { type UsedObject, usedObjects } from "./used-objects.ts";

/** How many objects one may name the next: a task names a registry, which names a secret. */
const MAX_CHAIN = 5;

/** What the rule works with. */
export interface UseRulePorts {
  /** Asked for when it is needed, not before: it is made after the kinds. */
  readonly authorizer: () => Authorizer;
  readonly resource: (group: string, plural: string) => Promise<ServedResource | undefined>;
  /** The kind whose objects are secrets. */
  readonly secretKind: KindKey;
  /** In which what is named is read. */
  readonly context: RequestContext;
}

/** Who may use what objects name. */
export interface UseRule {
  /**
   * Why someone may not use what an object names, for each field that names something; nothing if they may.
   * @param place the object's namespace
   */
  refusals(
    identity: Identity,
    kind: Pick<ServedKind, "group" | "schema" | "otherSchemas">,
    object: ResourceInput,
    place: string | undefined,
  ): Promise<readonly StatusCause[]>;
  /** Why someone may not use one object; `undefined` if they may. */
  refusal(
    identity: Identity,
    used: KindKey & { readonly namespace: string; readonly name: string },
  ): Promise<string | undefined>;
}

/**
 * Who uses a secret may get it: an object of `secretKind` may be used by those who may `get` it (its value is in no
 * answer), any other object by those who may `get` it and use all that it names itself. What is not there yet may come to name any
 * secret of its namespace, so it is for those who may get all of them.
 */
export function createUseRule(ports: UseRulePorts): UseRule {
  const { authorizer, context, secretKind } = ports;

  async function may(identity: Identity, { group, plural }: KindKey, namespace: string, name: string, version = "v1") {
    const about = { verb: "get", group, version, resource: plural, subresource: "", namespace, name, path: "" };
    return (await authorizer()({ identity, ...about })).decision === "allow";
  }

  async function refusal(
    identity: Identity,
    used: Omit<UsedObject, "field">,
    length: number,
  ): Promise<string | undefined> {
    const { group, plural, namespace, name } = used;
    const resource = await ports.resource(group, plural);
    const what = `the ${resource?.served.kind ?? `${plural}.${group}`} ${JSON.stringify(name)}`;
    if (!(await may(identity, used, namespace, name, resource?.served.version))) return `you may not use ${what}`;
    if (group === secretKind.group && plural === secretKind.plural) return undefined;
    const object = await find(resource, namespace, name);
    if (resource === undefined || object === undefined) {
      if (await may(identity, secretKind, namespace, "")) return undefined;
      return `${what} is not there, and only who may get every SecureValue may use what is not known yet`;
    }
    if (length >= MAX_CHAIN) return `${what} names others that name others, too many times`;
    for (const next of usedObjects(resource.served, object, namespace)) {
      const why = await refusal(identity, next, length + 1);
      if (why !== undefined) return `${what}: ${why}`;
    }
    return undefined;
  }

  async function find(resource: ServedResource | undefined, namespace: string, name: string) {
    const place = resource?.served.scope === "Cluster" ? undefined : namespace;
    return resource?.storage.get?.(context, { namespace: place, name }).catch(ignoring("NotFound"));
  }

  return {
    refusal: (identity, used) => refusal(identity, used, 0),
    async refusals(identity, kind, object, place = "") {
      const causes: StatusCause[] = [];
      for (const used of usedObjects(kind, object, place)) {
        const why = await refusal(identity, used, 0);
        if (why !== undefined) {
          causes.push({ reason: "FieldValueForbidden", field: used.field, message: `Forbidden: ${why}` });
        }
      }
      return causes;
    },
  };
}
