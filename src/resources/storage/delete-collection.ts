import * as z from "zod";
import type { Log } from "../../platform/index.ts";
import type { KindKey } from "../client.ts";
import { decodeContinue } from "./continue-token.ts";
import type { ResourceObject } from "../objects/object.ts";
import type { ObjectRef } from "../objects/object-ref.ts";
import { badRequest, StatusError } from "../status-error.ts";
import type { CollectionDeleter, DeleteOptions, Lister, ListPage, ListQuery, RequestContext } from "./storage.ts";

/** Objects deleted in one step: a few statements each, of the thousand that an invocation may make. */
const STEP = 100;

/**
 * Deletes the first hundred of what a list finds, one by one and by the storage's own rules. The answer has `continue`
 * if there are more. @throws {StatusError}
 */
export async function deleteCollection(
  stored: Lister,
  deleteOne: (ref: ObjectRef) => Promise<{ readonly object: ResourceObject }>,
  context: RequestContext,
  query: ListQuery,
  options: DeleteOptions,
): Promise<ListPage> {
  // The names of the past may be those of objects that are there now.
  if (query.source !== "current") throw badRequest("what is past cannot be deleted");
  const page = await stored.list(context, { ...query, limit: STEP });
  const items: ResourceObject[] = [];
  for (const { metadata } of page.items) {
    if (isLater(metadata, query, options)) continue;
    try {
      items.push((await deleteOne(metadata)).object);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      if (error.reason === "NotFound") continue;
      if (options.unattended === undefined) throw error;
      context.warn(error.message);
    }
  }
  return { ...page, items };
}

/** Whether an object was made after the deletion was asked for, which takes what there was then. */
function isLater(
  { creationTimestamp, resourceVersion }: ResourceObject["metadata"],
  query: ListQuery,
  { unattended }: DeleteOptions,
): boolean {
  if (unattended === undefined || query.continue === undefined) return false;
  if (creationTimestamp !== unattended.since) return creationTimestamp > unattended.since;
  // Times are in whole seconds; the list is of the version at which it began.
  return Number(resourceVersion) > decodeContinue(query.continue).rv;
}

const labels = z.union([
  z.object({ key: z.string(), operator: z.enum(["in", "notin"]), values: z.array(z.string()) }),
  z.object({ key: z.string(), operator: z.enum(["exists", "!"]) }),
  z.object({ key: z.string(), operator: z.enum([">", "<"]), bound: z.string() }),
]);
const fields = z.object({ path: z.string(), operator: z.enum(["=", "!="]), value: z.string() });

/** The rest of a deletion that is too long for a request: the body of a message in the maintenance queue. */
export const collectionStepSchema = z.object({
  type: z.literal("delete-collection"),
  kind: z.object({ group: z.string(), plural: z.string() }),
  namespace: z.string().exactOptional(),
  labels: z.array(labels),
  fields: z.array(fields),
  /** Where the list goes on. */
  continue: z.string(),
  /** When it was asked for, as objects have times. */
  since: z.string(),
  propagationPolicy: z.enum(["Background", "Foreground", "Orphan"]),
  preconditions: z
    .object({ uid: z.string().exactOptional(), resourceVersion: z.string().exactOptional() })
    .exactOptional(),
});

export type CollectionStep = z.infer<typeof collectionStepSchema>;

/** The step that goes on with a deletion, of which `page` was the first; `undefined` if it was all. */
export function restOf(
  kind: KindKey,
  query: ListQuery,
  options: DeleteOptions,
  page: ListPage,
  since: string,
): CollectionStep | undefined {
  if (page.continue === undefined) return undefined;
  return {
    type: "delete-collection",
    kind: { group: kind.group, plural: kind.plural },
    ...(query.namespace === undefined ? {} : { namespace: query.namespace }),
    labels: query.labels.map((each) => ("values" in each ? { ...each, values: [...each.values] } : each)),
    fields: [...query.fields],
    continue: page.continue,
    since,
    propagationPolicy: options.propagationPolicy,
    ...(options.preconditions === undefined ? {} : { preconditions: options.preconditions }),
  };
}

/** What going on with a deletion needs. */
export interface CollectionPorts {
  /** The storage of a kind; `undefined` if it is gone, and its objects with it. */
  readonly storageOf: (kind: KindKey) => Promise<Partial<CollectionDeleter> | undefined>;
  /** The platform's own: whoever asked was allowed to. */
  readonly context: RequestContext;
  readonly log: Log;
}

/** Deletes the next hundred, and resolves to the next step if there is one. What is refused is left, and logged. */
export async function goOnDeleting(
  { storageOf, context, log }: CollectionPorts,
  step: CollectionStep,
): Promise<CollectionStep | undefined> {
  const { kind, namespace, since } = step;
  const storage = await storageOf(kind);
  if (storage?.deleteCollection === undefined) return undefined;
  const query: ListQuery = {
    ...(namespace === undefined ? {} : { namespace }),
    labels: step.labels,
    fields: step.fields,
    limit: STEP,
    continue: step.continue,
    source: "current",
  };
  const warn = (message: string): void => log.warn("collection.refused", { ...kind, namespace, message });
  const options: DeleteOptions = {
    propagationPolicy: step.propagationPolicy,
    ...(step.preconditions === undefined ? {} : { preconditions: step.preconditions }),
    unattended: { since },
  };
  const page = await storage.deleteCollection({ ...context, warn }, query, options);
  return page.continue === undefined ? undefined : { ...step, continue: page.continue };
}
