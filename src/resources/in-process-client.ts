import type { ClientQuery, KindKey, ResourceClient } from "./client.ts";
import { parseFieldSelector } from "./selectors/field-selector.ts";
import { parseLabelSelector } from "./selectors/label-selector.ts";
import type { ResourceInput, ResourceObject } from "./objects/object.ts";
import type { ObjectRef } from "./objects/object-ref.ts";
import type { ResourceRegistry } from "./kinds/resource-registry.ts";
import { badRequest, StatusError } from "./status-error.ts";
import type { ListPage, RequestContext, Storage, WatchFrame } from "./storage/storage.ts";

/** Objects in a page when the caller does not say. */
const PAGE = 500;

/** The `ResourceClient` over the storages of the registry. */
export class InProcessClient implements ResourceClient {
  readonly #registry: () => ResourceRegistry;
  readonly #context: RequestContext;

  /** @param context on whose behalf it acts */
  constructor(registry: () => ResourceRegistry, context: RequestContext) {
    this.#registry = registry;
    this.#context = context;
  }

  async find<Spec, Status>(kind: KindKey, ref: ObjectRef): Promise<ResourceObject<Spec, Status> | undefined> {
    const { get } = await this.#verbs(kind, "get");
    try {
      return (await get(this.#context, ref)) as ResourceObject<Spec, Status>;
    } catch (error) {
      if (error instanceof StatusError && error.reason === "NotFound") return undefined;
      throw error;
    }
  }

  async list<Spec, Status>(
    kind: KindKey,
    query: ClientQuery = {},
  ): Promise<ListPage & { readonly items: readonly ResourceObject<Spec, Status>[] }> {
    const { list } = await this.#verbs(kind, "list");
    const page = await list(this.#context, {
      ...(await this.#selection(kind, query)),
      limit: query.limit ?? PAGE,
      ...(query.continue === undefined ? {} : { continue: query.continue }),
      source: "current",
    });
    return page as ListPage & { readonly items: readonly ResourceObject<Spec, Status>[] };
  }

  async create<Spec, Status>(
    kind: KindKey,
    object: ResourceInput<Spec, Status>,
  ): Promise<ResourceObject<Spec, Status>> {
    const { create } = await this.#verbs(kind, "create");
    return (await create(this.#context, object.metadata.namespace, object)) as ResourceObject<Spec, Status>;
  }

  async update<Spec, Status>(
    kind: KindKey,
    ref: ObjectRef,
    change: (current: ResourceObject<Spec, Status>) => ResourceInput<Spec, Status>,
  ): Promise<ResourceObject<Spec, Status>> {
    return this.#update(kind, ref, change, undefined);
  }

  async updateStatus<Spec, Status>(
    kind: KindKey,
    ref: ObjectRef,
    change: (current: ResourceObject<Spec, Status>) => Status,
  ): Promise<ResourceObject<Spec, Status>> {
    const withStatus = (current: ResourceObject<Spec, Status>): ResourceInput<Spec, Status> => ({
      ...current,
      status: change(current),
    });
    return this.#update(kind, ref, withStatus, "status");
  }

  async delete(kind: KindKey, ref: ObjectRef): Promise<void> {
    const { delete: remove } = await this.#verbs(kind, "delete");
    await remove(this.#context, ref, { propagationPolicy: "Background" });
  }

  async *watch(
    kind: KindKey,
    query: ClientQuery & { readonly since: string; readonly signal: AbortSignal },
  ): AsyncGenerator<WatchFrame, void> {
    const { watch } = await this.#verbs(kind, "watch");
    yield* watch(this.#context, {
      ...(await this.#selection(kind, query)),
      since: Number(query.since),
      signal: query.signal,
    });
  }

  async #update<Spec, Status>(
    kind: KindKey,
    ref: ObjectRef,
    change: (current: ResourceObject<Spec, Status>) => ResourceInput<Spec, Status>,
    subresource: "status" | undefined,
  ): Promise<ResourceObject<Spec, Status>> {
    const { update } = await this.#verbs(kind, "update");
    // If another write comes in between, the change is made again, on what that write left.
    const transform = (current: ResourceObject | undefined): ResourceInput =>
      change(current as ResourceObject<Spec, Status>);
    const options = { allowCreate: false, ...(subresource === undefined ? {} : { subresource }) };
    const { object } = await update(this.#context, ref, transform, options);
    return object as ResourceObject<Spec, Status>;
  }

  async #selection(kind: KindKey, query: ClientQuery) {
    const resource = await this.#registry().resource(kind.group, kind.plural);
    return {
      ...(query.namespace === undefined ? {} : { namespace: query.namespace }),
      labels: parseLabelSelector(query.labelSelector ?? ""),
      fields: parseFieldSelector(query.fieldSelector ?? "", resource?.served.selectableFields ?? []),
    };
  }

  /** The storage's own method, bound. @throws {StatusError} BadRequest if the kind is unknown or cannot do it */
  async #verbs<V extends keyof Storage>(kind: KindKey, verb: V): Promise<Required<Pick<Storage, V>>> {
    const storage = (await this.#registry().resource(kind.group, kind.plural))?.storage;
    const method = storage?.[verb];
    if (method === undefined) throw badRequest(`${kind.plural}.${kind.group} has no ${verb}`);
    return { [verb]: method.bind(storage) } as Required<Pick<Storage, V>>;
  }
}
