import {
  apiVersionOf,
  matchesFields,
  matchesLabels,
  type ResourceObject,
  StatusError,
  type StorageHooks,
} from "../resources/index.ts";
import type { KeeperSpec } from "./kinds.ts";
import { KEEPERS, SECRET_GROUP, SECRET_VERSION, SYSTEM_KEEPER } from "./names.ts";

/** The keeper `system` is in every namespace and cannot be changed. */
export const keeperHooks: StorageHooks = {
  refuse: ["restore"],
  begin({ verb, ref }) {
    if (verb !== "get" && ref?.name === SYSTEM_KEEPER) throw builtIn();
  },
  read: (stored) => ({
    ...stored,
    get: async (context, ref) => (ref.name === SYSTEM_KEEPER ? systemKeeper(ref.namespace) : stored.get(context, ref)),
    /** `system` comes first in the list of a namespace. A list of all namespaces has none: it would be in each. */
    async list(context, query) {
      const page = await stored.list(context, query);
      const first = query.namespace !== undefined && query.continue === undefined && query.source === "current";
      const system = systemKeeper(query.namespace);
      const shown = first && matchesLabels(undefined, query.labels) && matchesFields(system, query.fields);
      return shown ? { ...page, items: [system, ...page.items] } : page;
    },
  }),
};

function builtIn(): StatusError {
  return new StatusError("Forbidden", `keepers.${SECRET_GROUP} "${SYSTEM_KEEPER}" is forbidden: it is built in`, {
    name: SYSTEM_KEEPER,
    group: SECRET_GROUP,
    kind: KEEPERS.plural,
  });
}

function systemKeeper(namespace: string | undefined): ResourceObject<KeeperSpec> {
  return {
    apiVersion: apiVersionOf({ group: SECRET_GROUP, version: SECRET_VERSION }),
    kind: "Keeper",
    metadata: {
      name: SYSTEM_KEEPER,
      ...(namespace === undefined ? {} : { namespace }),
      uid: "00000000-0000-0000-0000-000000000000",
      resourceVersion: "1",
      generation: 1,
      creationTimestamp: "1970-01-01T00:00:00Z",
    },
    spec: { description: "Built in: values are encrypted into the platform's own database." },
  };
}
