import type { Clock } from "../../platform/index.ts";
import type { Authorizer } from "../authorizer.ts";
import type { OwnerReference, ResourceInput, ResourceObject } from "../objects/object.ts";
import { timestamp } from "../objects/object-metadata.ts";
import { sameJson } from "../objects/object-pipeline.ts";
import { refOf } from "../objects/object-ref.ts";
import type { OwnerStore } from "../storage/owner-store.ts";
import type { ResourceRegistry } from "../kinds/resource-registry.ts";
import { StatusError } from "../status-error.ts";
import type { FullStorage, RequestContext } from "../storage/storage.ts";
import type { StorageHooks, UpdateWrite } from "../storage/storage-hooks.ts";
import { type AppSpec, appSpecSchema, type AppStatus } from "./app.ts";
import { type PartRef, partsOf, requirePart, verbFor, writePart } from "./app-parts.ts";
import { PLATFORM_GROUP } from "./resource-definition.ts";

/** Dependents of one app at the most: what it brings, and what an earlier version brought. */
const MAX_DEPENDENTS = 500;

/** What installing needs. */
export interface AppPorts {
  readonly registry: () => ResourceRegistry;
  readonly owners: OwnerStore;
  readonly clock: Clock;
  /** Asked about each part, as whoever changes the app; made after the kinds. */
  readonly authorizer: () => Authorizer;
}

/**
 * Apps are stored like any object; writing one also writes its parts, which it owns. An app does nothing to a part that
 * whoever changes the app could not do without it, which is asked before anything is stored. If a part of a new app is
 * refused, what was written goes again; if one of an upgrade is, the app is what it was before and says so, since whoever
 * writes it next would install what was refused to another. Removing an app removes its parts.
 *
 * What is write-only in a part is taken out before the app is stored, and goes into the part once.
 */
export function appHooks(general: FullStorage, ports: AppPorts): StorageHooks {
  return {
    async beginCreate({ context, sent }) {
      await checkParts(ports, context, sent, undefined);
      return { object: sent };
    },
    async beginUpdate(write) {
      const { context, sent, previous } = write;
      if (isInstalling(write)) await checkParts(ports, context, sent, previous);
      return { object: sent };
    },
    async beginDelete({ context, previous, options }) {
      if (options.propagationPolicy === "Orphan") return;
      await checkRemoval(ports, context, previous.metadata.uid, new Set());
    },
    afterCreate: (app, { context, sent }) => installNew(ports, general, context, { app, objects: objectsOf(sent) }),
    afterUpdate(app, write) {
      if (!isInstalling(write) || app.metadata.deletionTimestamp !== undefined) return app;
      const { context, sent, previous } = write;
      return upgrade(ports, general, context, { app, objects: objectsOf(sent), before: previous });
    },
  };
}

/** Whether an update is one of what is to be installed. */
function isInstalling({ subresource, previous }: UpdateWrite): boolean {
  return subresource === undefined && previous.metadata.deletionTimestamp === undefined;
}

/** An app that was stored, and what is to be installed of it. */
interface Installation {
  readonly app: ResourceObject;
  /** Its objects as they were sent, with what is not kept. */
  readonly objects: AppSpec["objects"] | undefined;
  readonly before?: ResourceObject | undefined;
}

/**
 * Checks that the writer of an app that is about to be stored is allowed all that it does. An app of the wrong shape does
 * nothing: it will not be stored.
 * @throws {StatusError} Forbidden, BadRequest
 */
async function checkParts(
  ports: AppPorts,
  context: RequestContext,
  { spec }: ResourceInput,
  current: ResourceObject | undefined,
): Promise<void> {
  const parsed = appSpecSchema.safeParse(spec);
  if (!parsed.success) return;
  const kept = new Set<string>();
  for await (const part of partsOf(ports.registry(), parsed.data)) {
    kept.add(textOf(part));
    await requirePart(ports.authorizer(), context.identity, await verbFor(part, context), part);
  }
  if (current !== undefined) await checkRemoval(ports, context, current.metadata.uid, kept);
}

/** The objects of an app as they were sent, with what is not kept. */
function objectsOf({ spec }: ResourceInput): AppSpec["objects"] | undefined {
  return appSpecSchema.safeParse(spec).data?.objects;
}

/** Asks for everything that belongs to an app, but for what is kept. @throws {StatusError} Forbidden */
async function checkRemoval(
  { owners, authorizer }: AppPorts,
  context: RequestContext,
  uid: string,
  kept: ReadonlySet<string>,
): Promise<void> {
  for (const { key } of await owners.dependents(uid, MAX_DEPENDENTS)) {
    const part = { ...key, ...refOf(key) };
    if (!kept.has(textOf(part))) await requirePart(authorizer(), context.identity, "delete", part);
  }
}

function textOf({ group, plural, namespace = "", name }: PartRef): string {
  return JSON.stringify([group, plural, namespace, name]);
}

async function installNew(
  ports: AppPorts,
  general: FullStorage,
  context: RequestContext,
  installation: Installation,
): Promise<ResourceObject> {
  const { app } = installation;
  try {
    return await install(ports, general, context, installation);
  } catch (error) {
    await removeOthers(ports, context, app, new Set());
    await general.delete(context, { name: app.metadata.name }, { propagationPolicy: "Background" });
    throw error;
  }
}

async function upgrade(
  ports: AppPorts,
  general: FullStorage,
  context: RequestContext,
  installation: Installation,
): Promise<ResourceObject> {
  const { app, before } = installation;
  try {
    return await install(ports, general, context, installation);
  } catch (error) {
    if (error instanceof StatusError) {
      const takenBack = before === undefined ? app : await takeBack(general, context, app, before);
      await note(ports, general, context, takenBack, error);
    }
    throw error;
  }
}

/** Has an app be what it was before a change, unless another change came after. */
async function takeBack(
  general: FullStorage,
  context: RequestContext,
  app: ResourceObject,
  before: ResourceObject,
): Promise<ResourceObject> {
  const platform = { ...context, fieldManager: "entrepot" };
  const back = (current: ResourceObject = app): ResourceInput => {
    if (!sameJson(current.spec, app.spec)) return current;
    const { managedFields: _taken, ...metadata } = current.metadata;
    const { managedFields } = before.metadata;
    // Its fields are whose they were: nobody is to be in conflict with the platform.
    return { ...current, metadata: { ...metadata, ...(managedFields && { managedFields }) }, spec: before.spec };
  };
  const options = { allowCreate: false, ownersGiven: true };
  return (await general.update(platform, { name: app.metadata.name }, back, options)).object;
}

async function install(
  ports: AppPorts,
  general: FullStorage,
  context: RequestContext,
  { app, objects }: Installation,
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
  const spec = app.spec as AppSpec;
  // One after the other: objects may be of kinds that the app's own definitions make.
  for await (const part of partsOf(ports.registry(), { ...spec, objects: objects ?? spec.objects })) {
    kept.add(await writePart(ports.authorizer(), context, owner, part));
  }
  await removeOthers(ports, context, app, kept);
  return note(ports, general, context, app, undefined);
}

/** Removes what belongs to the app, but for what is kept. Whether that is allowed was asked before. */
async function removeOthers(
  { owners, registry }: AppPorts,
  context: RequestContext,
  app: ResourceObject,
  kept: ReadonlySet<string>,
): Promise<void> {
  for (const { key, object } of await owners.dependents(app.metadata.uid, MAX_DEPENDENTS)) {
    if (kept.has(object.metadata.uid)) continue;
    const resource = await registry().resource(key.group, key.plural);
    await resource?.storage.delete?.(context, refOf(key), { propagationPolicy: "Background" });
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
  return (await general.update(platform, { name: app.metadata.name }, withStatus, options)).object;
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
