import type { ResourceObject } from "./object.ts";
import { badRequest, ignoring } from "./status-error.ts";
import type { Deleter, DeleteOptions, Lister, ListPage, ListQuery, RequestContext } from "./storage.ts";

/** Deletes what a list finds, one by one and by the storage's own rules. @throws {StatusError} */
export async function deleteCollection(
  storage: Lister & Deleter,
  context: RequestContext,
  query: ListQuery,
  options: DeleteOptions,
): Promise<ListPage> {
  // The names of the past may be those of objects that are there now.
  if (query.source !== "current") throw badRequest("what is past cannot be deleted");
  const items: ResourceObject[] = [];
  let page = await storage.list(context, query);
  for (;;) {
    for (const { metadata } of page.items) {
      const deleted = await storage
        .delete(context, metadata.namespace, metadata.name, options)
        .catch(ignoring("NotFound"));
      if (deleted !== undefined) items.push(deleted.object);
    }
    if (page.continue === undefined) return { items, resourceVersion: page.resourceVersion };
    page = await storage.list(context, { ...query, continue: page.continue });
  }
}
