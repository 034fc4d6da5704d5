import type { ResourceInput, ResourceObject } from "./objects/object.ts";
import type { ObjectRef } from "./objects/object-ref.ts";
import type { ListPage, WatchFrame } from "./storage/storage.ts";

/** A kind as the platform's own code names it. */
export interface KindKey {
  readonly group: string;
  readonly plural: string;
}

/** Which objects to list or watch. Selectors as in the API's query. */
export interface ClientQuery {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
}

/**
 * Reading, writing and watching kinds from within the platform, without HTTP and with everything that HTTP would bring:
 * defaults, admission, validation, watch events. It acts for the system; what a user may do is checked by the caller.
 * All methods throw `StatusError`, except that `find` answers `undefined` for what is not there.
 */
export interface ResourceClient {
  find<Spec, Status = unknown>(kind: KindKey, ref: ObjectRef): Promise<ResourceObject<Spec, Status> | undefined>;
  list<Spec, Status = unknown>(
    kind: KindKey,
    query?: ClientQuery,
  ): Promise<ListPage & { readonly items: readonly ResourceObject<Spec, Status>[] }>;
  create<Spec, Status = unknown>(
    kind: KindKey,
    object: ResourceInput<Spec, Status>,
  ): Promise<ResourceObject<Spec, Status>>;
  /** Reads, changes and writes back; starts over if another write came between. */
  update<Spec, Status = unknown>(
    kind: KindKey,
    ref: ObjectRef,
    change: (current: ResourceObject<Spec, Status>) => ResourceInput<Spec, Status>,
  ): Promise<ResourceObject<Spec, Status>>;
  /** The same for `status` alone. */
  updateStatus<Spec, Status = unknown>(
    kind: KindKey,
    ref: ObjectRef,
    change: (current: ResourceObject<Spec, Status>) => Status,
  ): Promise<ResourceObject<Spec, Status>>;
  delete(kind: KindKey, ref: ObjectRef): Promise<void>;
  watch(
    kind: KindKey,
    query: ClientQuery & { readonly since: string; readonly signal: AbortSignal },
  ): AsyncIterable<WatchFrame>;
}
