import { decodeContinue, encodeContinue } from "./continue-token.ts";
import type { KindKey } from "../client.ts";
import type { ResourceStore } from "./resource-store.ts";
import { StatusError } from "../status-error.ts";
import type { ListPage, ListQuery } from "./storage.ts";

/** A page of the objects of a kind, or of its past. @throws {StatusError} BadRequest, Expired, Timeout */
export async function listObjects(store: ResourceStore, kind: KindKey, query: ListQuery): Promise<ListPage> {
  const token = query.continue === undefined ? undefined : decodeContinue(query.continue);
  if (query.source !== "current") return listPast(store, kind, query, query.source, token?.before);
  const page = await store.list(kind, { ...query, ...(token === undefined ? {} : { after: token }) });
  checkVersion(query, page.rv);
  // Later pages are of the version of the first: a watch from there misses nothing that changed in between.
  const rv = token?.rv ?? page.rv;
  const last = page.items.at(-1);
  if (!page.more || last === undefined) return { items: page.items, resourceVersion: String(rv) };
  const listed = (token?.listed ?? 0) + page.items.length;
  return {
    items: page.items,
    resourceVersion: String(rv),
    continue: encodeContinue({ rv, namespace: last.metadata.namespace ?? "", name: last.metadata.name, listed }),
    // What was made or deleted meanwhile among the pages before is not known: there is one more at least.
    ...(page.total === undefined ? {} : { remainingItemCount: Math.max(1, page.total - listed) }),
  };
}

async function listPast(
  store: ResourceStore,
  kind: KindKey,
  query: ListQuery,
  source: "history" | "trash",
  before: number | undefined,
): Promise<ListPage> {
  const { items, rv, more } = await store.past(kind, source, { ...query, ...(before === undefined ? {} : { before }) });
  const last = items.at(-1);
  if (!more || last === undefined) return { items, resourceVersion: String(rv) };
  const next = { rv, namespace: "", name: "", before: Number(last.metadata.resourceVersion) };
  return { items, resourceVersion: String(rv), continue: encodeContinue(next) };
}

/** What a list may be asked of the version it is of. @see Kubernetes API concepts, "Resource versions" */
function checkVersion(query: ListQuery, rv: number): void {
  if (query.resourceVersion === undefined || query.resourceVersion === "" || query.resourceVersion === "0") return;
  const wanted = Number(query.resourceVersion);
  if (wanted > rv) {
    throw new StatusError("Timeout", `Too large resource version: ${wanted}, current: ${rv}`, { retryAfterSeconds: 1 });
  }
  if (query.resourceVersionMatch === "Exact" && wanted !== rv) {
    throw new StatusError("Expired", `The resourceVersion for the provided list is too old: ${wanted}`);
  }
}
