import type { FullStorage, RequestContext } from "./storage.ts";

/**
 * A storage that does what another one does, for a kind to replace parts of.
 * @param prepare sees the context of each request
 */
export function forwarding(
  storage: FullStorage,
  prepare: (context: RequestContext) => RequestContext = (context) => context,
): FullStorage {
  return {
    get: (context, namespace, name) => storage.get(prepare(context), namespace, name),
    list: (context, query) => storage.list(prepare(context), query),
    create: (context, namespace, object) => storage.create(prepare(context), namespace, object),
    update: (context, namespace, name, transform, options) =>
      storage.update(prepare(context), namespace, name, transform, options),
    delete: (context, namespace, name, options) => storage.delete(prepare(context), namespace, name, options),
    deleteCollection: (context, query, options) => storage.deleteCollection(prepare(context), query, options),
    watch: (context, query) => storage.watch(prepare(context), query),
    restore: (context, namespace, name, rv) => storage.restore(prepare(context), namespace, name, rv),
  };
}
