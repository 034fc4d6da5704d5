import type { ServedKind } from "../kinds/kind.ts";
import { ignoring, qualifiedResource, StatusError } from "../status-error.ts";
import type { Connecter, Storage } from "../storage/storage.ts";
import type { UseRule } from "./use-rule.ts";
import { usesObjects } from "./used-objects.ts";

/**
 * The endpoint for those who may use what the object names: calling it has the secrets of the object used. An object that
 * is not there names nothing; the endpoint itself says so.
 */
export function guarded(connecter: Connecter, kind: ServedKind, storage: Storage, rule: UseRule): Connecter {
  if (connecter.usesNothing === true || !usesObjects(kind)) return connecter;
  return {
    ...connecter,
    async connect(context, target, request) {
      const { namespace, name } = target;
      const object = await storage.get?.(context, { namespace, name }).catch(ignoring("NotFound"));
      const [cause] = object === undefined ? [] : await rule.refusals(context.identity, kind, object, namespace);
      if (cause !== undefined) {
        const message = `${qualifiedResource(kind)} "${name}" is forbidden: ${connecter.subresource}: ${cause.field}: ${cause.message.replace(/^Forbidden: /, "")}`;
        throw new StatusError("Forbidden", message, { name, group: kind.group, kind: kind.plural });
      }
      return connecter.connect(context, target, request);
    },
  };
}
