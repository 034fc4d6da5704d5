import { apiVersionOf, type ServedKind } from "../kinds/kind.ts";
import { listObjects } from "./list-objects.ts";
import type { ResourceObject } from "../objects/object.ts";
import type { ObjectRef } from "../objects/object-ref.ts";
import type { ObjectKey, ResourceStore } from "./resource-store.ts";
import { notFound } from "../status-error.ts";
import type { WatchFrame, WatchQuery } from "./storage.ts";
import type { Reader } from "./storage-hooks.ts";

/** What reading stored objects works with. */
export interface StoredObjectsPorts {
  readonly store: ResourceStore;
  readonly watch: (kind: ServedKind, query: WatchQuery) => AsyncIterable<WatchFrame>;
}

/** The objects of a kind as they are stored. */
export interface StoredObjects extends Reader {
  /** The object, if there is one. */
  find(ref: ObjectRef): Promise<ResourceObject | undefined>;
}

/** Reads the objects of a kind. They are stored in one version of the API, and shown in that of the kind. */
export function storedObjects(kind: ServedKind, { store, watch }: StoredObjectsPorts): StoredObjects {
  const inVersion = (object: ResourceObject): ResourceObject => ({
    ...object,
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
  });
  const find = async (ref: ObjectRef): Promise<ResourceObject | undefined> => {
    const object = await store.get(keyOf(kind, ref));
    return object === undefined ? undefined : inVersion(object);
  };
  return {
    find,
    async get(_context, ref) {
      const object = await find(ref);
      if (object === undefined) throw notFound(kind, ref.name);
      return object;
    },
    async list(_context, query) {
      const page = await listObjects(store, kind, query);
      return { ...page, items: page.items.map(inVersion) };
    },
    async *watch(_context, query) {
      for await (const frame of watch(kind, query)) {
        yield "object" in frame ? { ...frame, object: inVersion(frame.object) } : frame;
      }
    },
  };
}

/** Where an object of a kind is in the database. */
export function keyOf({ group, plural }: ServedKind, { namespace = "", name }: ObjectRef): ObjectKey {
  return { group, plural, namespace, name };
}
