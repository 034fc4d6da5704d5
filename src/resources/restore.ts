import { withoutAuthorship } from "./authorship.ts";
import type { KindKey } from "./client.ts";
import { FOREGROUND, ORPHAN } from "./dependent-collector.ts";
import type { ObjectMeta, ResourceInput, ResourceObject } from "./object.ts";
import type { OwnerStore } from "./owner-store.ts";
import type { ResourceStore } from "./resource-store.ts";
import { notFound } from "./status-error.ts";
import type { RequestContext, Updater } from "./storage.ts";

/** What restoring works with. */
export interface RestorePorts {
  readonly store: ResourceStore;
  readonly owners: OwnerStore;
}

/**
 * Brings back what was wanted in an earlier version, also of a deleted object. It is an update like any other, by the
 * storage's own rules: what is there keeps its identity, finalizers and owners.
 * @throws {StatusError} NotFound, or what the update throws
 */
export async function restoreObject(
  { store, owners }: RestorePorts,
  kind: KindKey,
  storage: Updater,
  at: { readonly context: RequestContext; readonly namespace: string | undefined; readonly name: string },
  rv: number,
): Promise<ResourceObject> {
  const { context, namespace, name } = at;
  const { group, plural } = kind;
  const earlier = await store.version({ group, plural, namespace: namespace ?? "", name }, rv);
  if (earlier === undefined) throw notFound(kind, `${name}@${rv}`);
  const { labels = {}, annotations = {} } = withoutAuthorship(earlier).metadata;
  const deleted = await metadataOfDeleted(owners, earlier.metadata);
  const restored = (current: ResourceObject | undefined): ResourceInput => ({
    ...earlier,
    metadata: { ...(current === undefined ? deleted : current.metadata), labels, annotations },
  });
  return (await storage.update(context, namespace, name, restored, { allowCreate: true })).object;
}

/** Finalizers that stood for the deletion, and owners that are gone, would make it go again. */
async function metadataOfDeleted(
  owners: OwnerStore,
  { finalizers = [], ownerReferences = [] }: ObjectMeta,
): Promise<Partial<ObjectMeta>> {
  const living = await owners.existing(ownerReferences.map(({ uid }) => uid));
  return {
    finalizers: finalizers.filter((finalizer) => finalizer !== FOREGROUND && finalizer !== ORPHAN),
    ownerReferences: ownerReferences.filter(({ uid }) => living.has(uid)),
  };
}
