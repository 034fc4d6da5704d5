import type { Identity } from "../../access/index.ts";
import type { FieldRequirement } from "../selectors/field-selector.ts";
import type { LabelRequirement } from "../selectors/label-selector.ts";
import type { ResourceInput, ResourceObject } from "../objects/object.ts";
import type { ObjectRef } from "../objects/object-ref.ts";

/** Who asks, and how. */
export interface RequestContext {
  readonly identity: Identity;
  /** Name and port by which the caller reached this server, if somebody called. */
  readonly host?: string;
  /** Do everything but the write. */
  readonly dryRun: boolean;
  /** Who the written fields will belong to. */
  readonly fieldManager: string;
  /** Collects sentences for the caller that are not failures (RFC 7234 `Warning: 299`). */
  warn(message: string): void;
}

/** Which objects. `namespace` is absent for all of them, and for cluster-scoped kinds. */
export interface ListQuery {
  readonly namespace?: string;
  readonly labels: readonly LabelRequirement[];
  readonly fields: readonly FieldRequirement[];
  readonly limit: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: "Exact" | "NotOlderThan";
  /** What to list: objects, earlier versions of them, or deleted ones. */
  readonly source: "current" | "history" | "trash";
}

/** A page of objects, as of one version. */
export interface ListPage {
  readonly items: readonly ResourceObject[];
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

/** How dependents are treated when their owner goes. */
export type PropagationPolicy = "Background" | "Foreground" | "Orphan";

export interface DeleteOptions {
  readonly propagationPolicy: PropagationPolicy;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  /**
   * Of a collection, after the request that asked for it at the time `since`: what was made later stays, and what is
   * refused does not keep the rest.
   */
  readonly unattended?: { readonly since: string };
}

/** A change, as watchers see it. */
export interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: ResourceObject;
}

/** Which changes: those after `since`, of objects that match. */
export interface WatchQuery {
  readonly namespace?: string;
  readonly labels: readonly LabelRequirement[];
  readonly fields: readonly FieldRequirement[];
  /** Changes after this version; 0 begins with an `ADDED` for each object there is. */
  readonly since: number;
  /** Ends the watch. */
  readonly signal: AbortSignal;
}

/** What a watch yields: a change, or, also while nothing changes, that everything up to a version has been seen. */
export type WatchFrame = WatchEvent | { readonly type: "BOOKMARK"; readonly resourceVersion: string };

// What a storage can do is what it implements; discovery lists the verbs accordingly.

export interface Getter {
  /** @throws {StatusError} NotFound */
  get(context: RequestContext, ref: ObjectRef): Promise<ResourceObject>;
}

export interface Lister {
  list(context: RequestContext, query: ListQuery): Promise<ListPage>;
}

export interface Creator {
  /** @throws {StatusError} AlreadyExists, Invalid */
  create(context: RequestContext, namespace: string | undefined, object: ResourceInput): Promise<ResourceObject>;
}

/**
 * Makes the next version of an object from the present one, which is shown without its message; `undefined` if there is
 * none. May be called again after a conflict.
 */
export type Transform = (current: ResourceObject | undefined) => ResourceInput | Promise<ResourceInput>;

export interface UpdateOptions {
  /** `status` changes nothing else, and its absence changes no status. */
  readonly subresource?: "status";
  /** Create what is not there. */
  readonly allowCreate: boolean;
  /** The transform has worked out `metadata.managedFields` itself, as server-side apply does. */
  readonly ownersGiven?: boolean;
  /** The transform answers what a client holds, and looks at no present object: what is in both was not said anew. */
  readonly replaces?: boolean;
}

export interface Updater {
  /** @throws {StatusError} NotFound, Conflict, Invalid */
  update(
    context: RequestContext,
    ref: ObjectRef,
    transform: Transform,
    options: UpdateOptions,
  ): Promise<{ readonly object: ResourceObject; readonly created: boolean }>;
}

export interface Deleter {
  /** Resolves to the object, gone or, while finalizers hold it, marked. @throws {StatusError} NotFound, Conflict */
  delete(
    context: RequestContext,
    ref: ObjectRef,
    options: DeleteOptions,
  ): Promise<{ readonly object: ResourceObject; readonly gone: boolean }>;
}

export interface CollectionDeleter {
  /** Deletes a bounded number of objects; `continue` in the answer is where the rest begins. */
  deleteCollection(context: RequestContext, query: ListQuery, options: DeleteOptions): Promise<ListPage>;
}

export interface Watcher {
  /** @throws {StatusError} Expired, if changes since `since` are no longer kept */
  watch(context: RequestContext, query: WatchQuery): AsyncIterable<WatchFrame>;
}

/** Undo: brings back what was wanted in an earlier version, also of a deleted object. Not every kind may offer it. */
export interface Restorer {
  /** @throws {StatusError} NotFound, Invalid */
  restore(context: RequestContext, ref: ObjectRef, resourceVersion: number): Promise<ResourceObject>;
}

export function isRestorer(storage: Storage): storage is Storage & Restorer {
  return "restore" in storage;
}

/** What keeps objects in the database: all that a kind may wrap. */
export type FullStorage = Required<Storage> & Restorer;

/** An endpoint below an object: `…/<plural>/<name>/<subresource>`. */
export interface Connecter {
  readonly subresource: string;
  readonly description: string;
  readonly methods: readonly ("GET" | "POST" | "PUT" | "DELETE")[];
  /**
   * Calling it does not have what the object names used by whoever calls. Without it, the endpoint is for those who may
   * use all of that (`createUseRule`).
   */
  readonly usesNothing?: true;
  /** `path` is what follows the subresource, without a leading slash. */
  connect(context: RequestContext, target: ObjectRef & { readonly path: string }, request: Request): Promise<Response>;
}

/** Some of the above, all optional. */
export type Storage = Partial<Getter & Lister & Creator & Updater & Deleter & CollectionDeleter & Watcher>;
