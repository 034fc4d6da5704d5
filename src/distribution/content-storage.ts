import { namespaceOf, type RepositoryName } from "../oci/index.ts";
import type { Gate, Identity } from "../access/index.ts";
import { type ContentFilter, type ContentListStore, type ContentPage, type ContentPosition } from "../content/index.ts";
import {
  badRequest,
  conflict,
  decodeContinue,
  type DeleteOptions,
  encodeContinue,
  type ListPage,
  type ListQuery,
  matchesFields,
  matchesLabels,
  notFound,
  type ObjectRef,
  type RequestContext,
  type ResourceObject,
  type Storage,
  StatusError,
} from "../resources/index.ts";
import { CONTENT_GROUP } from "./content-kinds.ts";
import { contentFilter, type NameParser } from "./content-selection.ts";

/** Rows read at a time. */
const BATCH = 500;
/** Rows looked at for one page, whether they match or not; a selector that finds little makes short pages. */
const MAX_ROWS = 10_000;
/** Annotations are the part of a row that varies; a page is also cut when it has this many characters of them. */
const MAX_ANNOTATIONS = 4 * 1024 * 1024;

/** A row of a list: which repository it is of, and how much it weighs. */
export interface ContentRow {
  readonly repository: ContentPosition["repository"];
  readonly annotations?: string | null;
}

/** One kind of content as the resource API sees it. */
export interface ContentView<R extends ContentRow> {
  readonly plural: string;
  /** A page of rows, in the order of `position`. */
  readonly rows: (lists: ContentListStore, page: ContentPage) => Promise<readonly R[]>;
  readonly toObject: (row: R) => ResourceObject;
  /** What a row has in its repository that gives it its place; the empty text if it is the repository. */
  readonly item: (row: R) => string;
  readonly parseName: NameParser;
  /** The place in the list of an object of this name. */
  readonly position: (namespace: string, name: string) => ContentPosition | undefined;
}

/** What reading content needs. */
export interface ContentReadPorts {
  readonly gate: Gate;
  readonly lists: ContentListStore;
  /** Milliseconds since the Unix epoch. */
  readonly clock: () => number;
}

/** Reads one kind of content. */
export function readStorage<R extends ContentRow>(
  ports: ContentReadPorts,
  view: ContentView<R>,
): Required<Pick<Storage, "get" | "list">> {
  return {
    get: (_context, ref) => find(ports, view, ref),
    list: (context, query) => list(ports, view, context.identity, query),
  };
}

/** @throws {StatusError} NotFound */
async function find<R extends ContentRow>(
  { lists }: ContentReadPorts,
  view: ContentView<R>,
  { namespace = "", name }: ObjectRef,
): Promise<ResourceObject> {
  const filter = view.parseName(namespace, name);
  const [row] = filter === undefined ? [] : await view.rows(lists, { filter, limit: 1 });
  if (row === undefined) throw notFound({ group: CONTENT_GROUP, plural: view.plural }, name);
  return view.toObject(row);
}

/** @throws {StatusError} BadRequest, Expired */
async function list<R extends ContentRow>(
  ports: ContentReadPorts,
  view: ContentView<R>,
  identity: Identity,
  query: ListQuery,
): Promise<ListPage> {
  if (query.source !== "current") throw badRequest(`${view.plural} keep no ${query.source}`);
  if (query.resourceVersionMatch === "Exact") {
    throw new StatusError("Expired", `${view.plural} can only be listed as they are now`);
  }
  const token = query.continue === undefined ? undefined : decodeContinue(query.continue);
  const start = token === undefined ? undefined : view.position(token.namespace, token.name);
  if (token !== undefined && start === undefined) throw badRequest("continue key is not valid");
  // Content has no change log: a list is of the time that it was begun.
  const rv = token?.rv ?? ports.clock();
  const filter = contentFilter(query, view.parseName);
  if (filter === undefined) return { items: [], resourceVersion: String(rv) };
  const { items, last } = await collect(
    ports.lists,
    view,
    query,
    filter,
    start,
    visibleTo(ports.gate, identity, view.plural),
  );
  if (last === undefined) return { items, resourceVersion: String(rv) };
  const { namespace = "", name } = last.metadata;
  return { items, resourceVersion: String(rv), continue: encodeContinue({ rv, namespace, name }) };
}

/** Whether the objects of a repository are for the caller: who may pull from it, or has a role that lists them all. */
function visibleTo(gate: Gate, identity: Identity, resource: string): (repository: RepositoryName) => boolean {
  let last: { readonly repository: RepositoryName; readonly visible: boolean } | undefined;
  return (repository) => {
    // Rows of a repository come one after the other.
    if (last?.repository === repository) return last.visible;
    const namespace: string = namespaceOf(repository);
    const asked = { verb: "list", group: CONTENT_GROUP, resource, subresource: "", namespace, name: "" };
    const visible = gate.allows(identity, "pull", repository) || gate.decide(identity, asked).allowed;
    last = { repository, visible };
    return visible;
  };
}

/**
 * Objects that match and are for the caller, and where to go on if there may be more: after the last one looked at that
 * the caller may see, or, if there was none among them all, that may not be seen.
 */
async function collect<R extends ContentRow>(
  lists: ContentListStore,
  view: ContentView<R>,
  query: ListQuery,
  filter: ContentFilter,
  start: ContentPosition | undefined,
  isVisible: (repository: RepositoryName) => boolean,
): Promise<{ readonly items: readonly ResourceObject[]; readonly last?: ResourceObject }> {
  let selective = query.labels.length > 0 || query.fields.length > 0;
  const items: ResourceObject[] = [];
  let after = start;
  let visible: ResourceObject | undefined;
  let annotations = 0;
  for (let looked = 0; ;) {
    const size = selective ? BATCH : Math.min(BATCH, query.limit - items.length);
    // One more than wanted, to know whether there is one.
    const rows = await view.rows(lists, { filter, limit: size + 1, ...(after === undefined ? {} : { after }) });
    for (const [index, row] of rows.slice(0, size).entries()) {
      const object = view.toObject(row);
      after = { repository: row.repository, item: view.item(row) };
      looked += 1;
      const isForCaller = isVisible(row.repository);
      if (isForCaller) visible = object;
      // Some rows are left out from here on: there is no telling how many make a page.
      else selective = true;
      if (isForCaller && matchesLabels(object.metadata.labels, query.labels) && matchesFields(object, query.fields)) {
        items.push(object);
        annotations += row.annotations?.length ?? 0;
      }
      const full = items.length >= query.limit || looked >= MAX_ROWS || annotations >= MAX_ANNOTATIONS;
      if (full) return index + 1 < rows.length ? { items, last: visible ?? object } : { items };
    }
    if (rows.length <= size) return { items };
  }
}

/** Reads what is to be deleted, and checks that it is what the caller meant. @throws {StatusError} NotFound, Conflict */
export async function findForDelete(
  storage: Required<Pick<Storage, "get">>,
  plural: string,
  context: RequestContext,
  ref: ObjectRef,
  { preconditions }: DeleteOptions,
): Promise<ResourceObject> {
  const object = await storage.get(context, ref);
  const { uid, resourceVersion } = object.metadata;
  const isMeant =
    (preconditions?.uid === undefined || preconditions.uid === uid) &&
    (preconditions?.resourceVersion === undefined || preconditions.resourceVersion === resourceVersion);
  if (!isMeant) throw conflict({ group: CONTENT_GROUP, plural }, ref.name);
  return object;
}
