import type { Clock } from "../../platform/index.ts";
import { forwarding } from "../forwarding.ts";
import type { OwnerReference, ResourceInput, ResourceObject } from "../object.ts";
import { timestamp } from "../object-metadata.ts";
import type { OwnerStore } from "../owner-store.ts";
import type { ResourceRegistry } from "../resource-registry.ts";
import type { ResourceStore } from "../resource-store.ts";
import { restoreObject } from "../restore.ts";
import { StatusError } from "../status-error.ts";
import type { FullStorage, RequestContext } from "../storage.ts";
import type { AppSpec, AppStatus } from "./app.ts";
import { partsOf, writePart } from "./app-parts.ts";
import { PLATFORM_GROUP } from "./resource-definition.ts";

/** Dependents of one app at the most: what it brings, and what an earlier version brought. */
const MAX_DEPENDENTS = 500;

const APPS = { group: PLATFORM_GROUP, plural: "apps" } as const;

/** What installing needs. */
export interface AppPorts {
  readonly registry: () => ResourceRegistry;
  readonly store: ResourceStore;
  readonly owners: OwnerStore;
  readonly clock: Clock;
}

/**
 * Apps are stored like any object; writing one also writes its parts, which it owns. If a part of a new app is refused,
 * what was written goes again; if one of an upgrade is, the app says so. Removing an app removes its parts.
 */
export function appStorage(general: FullStorage, ports: AppPorts): FullStorage {
  const storage: FullStorage = {
    ...forwarding(general),
    async create(context, namespace, object) {
      const created = await general.create(context, namespace, object);
      return context.dryRun ? created : installNew(ports, general, context, created);
    },
    async update(context, namespace, name, transform, options) {
      const updated = await general.update(context, namespace, name, transform, options);
      const { object, created } = updated;
      if (context.dryRun || options.subresource !== undefined) return updated;
      if (object.metadata.deletionTimestamp !== undefined) return updated;
      const install = created ? installNew : upgrade;
      return { object: await install(ports, general, context, object), created };
    },
    restore: (context, namespace, name, rv) => restoreObject(ports, APPS, storage, { context, namespace, name }, rv),
  };
  return storage;
}

async function installNew(
  ports: AppPorts,
  general: FullStorage,
  context: RequestContext,
  app: ResourceObject,
): Promise<ResourceObject> {
  try {
    return await install(ports, general, context, app);
  } catch (error) {
    await removeOthers(ports, context, app, new Set());
    await general.delete(context, undefined, app.metadata.name, { propagationPolicy: "Background" });
    throw error;
  }
}

async function upgrade(
  ports: AppPorts,
  general: FullStorage,
  context: RequestContext,
  app: ResourceObject,
): Promise<ResourceObject> {
  try {
    return await install(ports, general, context, app);
  } catch (error) {
    if (error instanceof StatusError) await note(ports, general, context, app, error);
    throw error;
  }
}

async function install(
  ports: AppPorts,
  general: FullStorage,
  context: RequestContext,
  app: ResourceObject,
): Promise<ResourceObject> {
  const owner: OwnerReference = {
    apiVersion: `${PLATFORM_GROUP}/v1`,
    kind: "App",
    name: app.metadata.name,
    uid: app.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
  const kept = new Set<string>();
  // One after the other: objects may be of kinds that the app's own definitions make.
  for await (const part of partsOf(ports.registry(), app.spec as AppSpec)) {
    kept.add(await writePart(ports.registry(), context, owner, part));
  }
  await removeOthers(ports, context, app, kept);
  return note(ports, general, context, app, undefined);
}

/** Removes what belongs to the app, but for what is kept. */
async function removeOthers(
  { owners, registry }: AppPorts,
  context: RequestContext,
  app: ResourceObject,
  kept: ReadonlySet<string>,
): Promise<void> {
  for (const { key, object } of await owners.dependents(app.metadata.uid, MAX_DEPENDENTS)) {
    if (kept.has(object.metadata.uid)) continue;
    const resource = await registry().resource(key.group, key.plural);
    const namespace = key.namespace === "" ? undefined : key.namespace;
    await resource?.storage.delete?.(context, namespace, key.name, { propagationPolicy: "Background" });
  }
}

/** Says in the app's status how the installation went. */
async function note(
  { clock }: AppPorts,
  general: FullStorage,
  context: RequestContext,
  app: ResourceObject,
  failure: StatusError | undefined,
): Promise<ResourceObject> {
  const now = timestamp(clock());
  const platform = { ...context, fieldManager: "entrepot" };
  const withStatus = (current: ResourceObject = app): ResourceInput => ({
    ...current,
    status: statusOf(current, failure, now),
  });
  const options = { subresource: "status", allowCreate: false } as const;
  return (await general.update(platform, undefined, app.metadata.name, withStatus, options)).object;
}

function statusOf(app: ResourceObject, failure: StatusError | undefined, now: string): AppStatus {
  const spec = app.spec as AppSpec;
  const status = failure === undefined ? "True" : "False";
  const before = (app.status as AppStatus | undefined)?.conditions?.find(({ type }) => type === "Installed");
  return {
    conditions: [
      {
        type: "Installed",
        status,
        reason: failure === undefined ? "Installed" : failure.reason,
        message: failure === undefined ? "definitions and objects are installed" : failure.message,
        lastTransitionTime: before?.status === status ? before.lastTransitionTime : now,
      },
    ],
    definitions: spec.definitions.length,
    objects: spec.objects.length,
  };
}
