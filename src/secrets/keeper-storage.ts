import {
  apiVersionOf,
  type DeleteOptions,
  type ListPage,
  type ListQuery,
  matchesFields,
  matchesLabels,
  type RequestContext,
  type ResourceInput,
  type ResourceObject,
  StatusError,
  type Storage,
  type Transform,
  type UpdateOptions,
  type WatchFrame,
  type WatchQuery,
} from "../resources/index.ts";
import type { KeeperSpec } from "./kinds.ts";
import { KEEPERS, SECRET_GROUP, SECRET_VERSION, SYSTEM_KEEPER } from "./names.ts";

/** Keepers in the general storage, and `system`, which is in every namespace and cannot be changed. */
export class KeeperStorage implements Required<Storage> {
  readonly #general: Required<Storage>;

  constructor(general: Required<Storage>) {
    this.#general = general;
  }

  async get(context: RequestContext, namespace: string | undefined, name: string): Promise<ResourceObject> {
    return name === SYSTEM_KEEPER ? systemKeeper(namespace) : this.#general.get(context, namespace, name);
  }

  /** `system` comes first in the list of a namespace. A list of all namespaces has none: it would be in each. */
  async list(context: RequestContext, query: ListQuery): Promise<ListPage> {
    const page = await this.#general.list(context, query);
    const first = query.namespace !== undefined && query.continue === undefined && query.source === "current";
    const system = systemKeeper(query.namespace);
    const shown = first && matchesLabels(undefined, query.labels) && matchesFields(system, query.fields);
    return shown ? { ...page, items: [system, ...page.items] } : page;
  }

  async create(context: RequestContext, namespace: string | undefined, object: ResourceInput): Promise<ResourceObject> {
    refuseSystem(object.metadata.name);
    return this.#general.create(context, namespace, object);
  }

  async update(
    context: RequestContext,
    namespace: string | undefined,
    name: string,
    transform: Transform,
    options: UpdateOptions,
  ): Promise<{ readonly object: ResourceObject; readonly created: boolean }> {
    refuseSystem(name);
    return this.#general.update(context, namespace, name, transform, options);
  }

  async delete(context: RequestContext, namespace: string | undefined, name: string, options: DeleteOptions) {
    refuseSystem(name);
    return this.#general.delete(context, namespace, name, options);
  }

  deleteCollection(context: RequestContext, query: ListQuery, options: DeleteOptions): Promise<ListPage> {
    return this.#general.deleteCollection(context, query, options);
  }

  watch(context: RequestContext, query: WatchQuery): AsyncIterable<WatchFrame> {
    return this.#general.watch(context, query);
  }
}

function refuseSystem(name: string | undefined): void {
  if (name !== SYSTEM_KEEPER) return;
  throw new StatusError("Forbidden", `keepers.${SECRET_GROUP} "${SYSTEM_KEEPER}" is forbidden: it is built in`, {
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
