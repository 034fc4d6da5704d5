import { type DependentCollector, FOREGROUND, ORPHAN } from "../upkeep/dependent-collector.ts";
import type { ObjectMeta, ResourceObject } from "./object.ts";
import type { StatusCause } from "../status-error.ts";
import type { PropagationPolicy } from "../storage/storage.ts";

/** Whether an object was deleted and nothing keeps it any more. */
export function isFinished({ deletionTimestamp, finalizers = [] }: ObjectMeta): boolean {
  return deletionTimestamp !== undefined && finalizers.length === 0;
}

/** The object as a deletion at `now` leaves it: without finalizers it goes at once, else it is marked. */
export async function markedForDeletion(
  { metadata, ...object }: ResourceObject,
  policy: PropagationPolicy,
  now: string,
  dependents: DependentCollector,
): Promise<ResourceObject> {
  const { finalizers: present = [], deletionTimestamp = now, ...kept } = metadata;
  const finalizers = [...present];
  if (policy !== "Background" && metadata.deletionTimestamp === undefined) {
    const finalizer = policy === "Foreground" ? FOREGROUND : ORPHAN;
    if (!finalizers.includes(finalizer) && (await dependents.any(metadata.uid))) finalizers.push(finalizer);
  }
  return {
    ...object,
    metadata: {
      ...kept,
      deletionTimestamp,
      deletionGracePeriodSeconds: 0,
      ...(finalizers.length === 0 ? {} : { finalizers }),
    },
  };
}

/** What is wrong with the finalizers of an update: what is being deleted can be held no longer than it is. */
export function finalizerCauses(current: ObjectMeta, { finalizers }: Partial<ObjectMeta>): StatusCause[] {
  if (current.deletionTimestamp === undefined || !Array.isArray(finalizers)) return [];
  const present: readonly unknown[] = current.finalizers ?? [];
  const added = finalizers.filter((finalizer: unknown) => !present.includes(finalizer));
  if (added.length === 0) return [];
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`;
  return [{ reason: "FieldValueForbidden", field: "metadata.finalizers", message }];
}
