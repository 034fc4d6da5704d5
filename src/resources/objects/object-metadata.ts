import { clientAnnotations, nextAnnotations } from "./authorship.ts";
import type { ObjectMeta } from "./object.ts";
import type { ObjectRef } from "./object-ref.ts";

/** What the server alone decides. */
const SERVERS = [
  "name",
  "generateName",
  "namespace",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
] as const satisfies readonly (keyof ObjectMeta)[];

/** What a client may change, besides annotations, of which some are the server's. */
const CLIENTS = [
  "labels",
  "finalizers",
  "ownerReferences",
  "managedFields",
] as const satisfies readonly (keyof ObjectMeta)[];

/** RFC 3339 in whole seconds, as the API writes times. */
export function timestamp(time: number): string {
  return new Date(time).toISOString().replace(/\.\d{3}Z$/, "Z");
}

/** Metadata of an object that is created; its `resourceVersion` is given by the write. */
export function newMetadata(given: Partial<ObjectMeta>, { namespace, name }: ObjectRef, now: string): ObjectMeta {
  return {
    name,
    ...some(given, ["generateName"]),
    ...(namespace === undefined ? {} : { namespace }),
    uid: crypto.randomUUID(),
    resourceVersion: "",
    generation: 1,
    creationTimestamp: now,
    ...some(given, CLIENTS),
    ...clientAnnotations(given),
  };
}

/** Metadata of an object that is replaced by what a client sent. */
export function nextMetadata(current: ObjectMeta, given: Partial<ObjectMeta>): ObjectMeta {
  return {
    ...(some(current, SERVERS) as ObjectMeta),
    ...some(given, CLIENTS),
    ...nextAnnotations(current, given),
  };
}

function some(metadata: Partial<ObjectMeta>, fields: readonly (keyof ObjectMeta)[]): Partial<ObjectMeta> {
  const present = fields.filter((field) => metadata[field] !== undefined);
  return Object.fromEntries(present.map((field) => [field, metadata[field]]));
}
