import { withoutAuthorship } from "../objects/authorship.ts";
import type { KindKey } from "../client.ts";
import { FOREGROUND, ORPHAN } from "../upkeep/dependent-collector.ts";
import type { ObjectMeta, ResourceInput, ResourceObject } from "../objects/object.ts";
import type { ObjectRef } from "../objects/object-ref.ts";
import type { Written } from "./object-writer.ts";
import type { OwnerStore } from "./owner-store.ts";
import type { ResourceStore } from "./resource-store.ts";
import { notFound } from "../status-error.ts";
import type { Transform } from "./storage.ts";

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
  { namespace, name }: ObjectRef,
  rv: number,
  update: (transform: Transform) => Promise<Written>,
): Promise<Written> {
  const { group, plural } = kind;
  const earlier = await store.version({ group, plural, namespace: namespace ?? "", name }, rv);
  if (earlier === undefined) throw notFound(kind, `${name}@${rv}`);
  const { labels = {}, annotations = {} } = withoutAuthorship(earlier).metadata;
  const deleted = await metadataOfDeleted(owners, earlier.metadata);
  const restored = (current: ResourceObject | undefined): ResourceInput => ({
    ...earlier,
    metadata: { ...(current === undefined ? deleted : current.metadata), labels, annotations },
  });
  return update(restored);
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
