import type { Clock } from "../../platform/index.ts";
import type { ResourceInput, ResourceObject } from "../objects/object.ts";
import { timestamp } from "../objects/object-metadata.ts";
import type { ResourceStore } from "../storage/resource-store.ts";
import type { FullStorage, RequestContext } from "../storage/storage.ts";
import type { StorageHooks } from "../storage/storage-hooks.ts";
import { findBrokenObjects } from "./broken-objects.ts";
import {
  type Condition,
  type DefinitionSpec,
  type DefinitionStatus,
  OBJECTS_FINALIZER,
} from "./resource-definition.ts";

/** What storing definitions needs. */
export interface DefinitionPorts {
  readonly store: ResourceStore;
  readonly clock: Clock;
  /** A definition was written. */
  readonly changed: () => void;
  /** Deletes the objects of a definition that is going, and lets the definition go then. */
  readonly dropObjects: (name: string) => Promise<void>;
}

/**
 * Definitions are stored like any object, and besides: they hold on until their objects are gone, their status says
 * that they are served, and a schema that stored objects do not satisfy is reported.
 */
export function definitionHooks(general: FullStorage, ports: DefinitionPorts): StorageHooks {
  return {
    beginCreate: async ({ sent }) => ({ object: held(sent) }),
    // Applying a manifest anew must not let go of the objects.
    beginUpdate: async ({ sent, previous }) => ({
      object: previous.metadata.deletionTimestamp === undefined ? held(sent) : sent,
    }),
    afterCreate: (object, { context }) => publish(general, ports, context, object),
    afterUpdate(object, { context, previous, subresource }) {
      if (subresource !== undefined || isPublished(previous, object)) return object;
      return publish(general, ports, context, object);
    },
    async afterDelete({ metadata }, { gone }) {
      ports.changed();
      if (!gone) await ports.dropObjects(metadata.name);
    },
  };
}

/** The definition with the finalizer that stands for its objects. */
function held(object: ResourceInput): ResourceInput {
  const { finalizers = [] } = object.metadata;
  if (finalizers.includes(OBJECTS_FINALIZER)) return object;
  return { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, OBJECTS_FINALIZER] } };
}

/** Whether an update left nothing to do. */
function isPublished(before: ResourceObject, after: ResourceObject): boolean {
  const { conditions = [] } = (after.status ?? {}) as DefinitionStatus;
  return before.metadata.generation === after.metadata.generation && conditions.length > 0;
}

/** Has a definition served, and says in its status how that went. */
async function publish(
  general: FullStorage,
  ports: DefinitionPorts,
  context: RequestContext,
  object: ResourceObject,
): Promise<ResourceObject> {
  ports.changed();
  const { name, deletionTimestamp } = object.metadata;
  if (deletionTimestamp !== undefined) return object;
  const broken = await findBrokenObjects(ports.store, object.spec as DefinitionSpec);
  for (const message of broken) context.warn(message);
  const withStatus = (current: ResourceObject = object): ResourceInput => ({
    ...current,
    status: statusOf(current, broken, timestamp(ports.clock())),
  });
  const platform = { ...context, fieldManager: "entrepot" };
  const options = { subresource: "status", allowCreate: false } as const;
  return (await general.update(platform, { name }, withStatus, options)).object;
}

function statusOf(object: ResourceObject, broken: readonly string[], now: string): DefinitionStatus {
  const before = (object.status as DefinitionStatus | undefined)?.conditions ?? [];
  const condition = (type: string, good: boolean, reason: string, message: string): Condition => {
    const status = good ? "True" : "False";
    const known = before.find((each) => each.type === type && each.status === status);
    return { type, status, reason, message, lastTransitionTime: known?.lastTransitionTime ?? now };
  };
  return {
    conditions: [
      condition("NamesAccepted", true, "NoConflicts", "no conflicts found"),
      condition("Established", true, "InitialNamesAccepted", "the kind is served"),
      broken.length === 0
        ? condition("ObjectsConform", true, "Checked", "stored objects satisfy the schema")
        : condition("ObjectsConform", false, "SchemaBreaksObjects", broken.join("; ")),
    ],
  };
}
