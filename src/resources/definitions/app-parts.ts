import type { OwnerReference, ResourceInput, ResourceObject } from "../object.ts";
import type { ResourceRegistry } from "../resource-registry.ts";
import { badRequest, qualifiedResource, StatusError } from "../status-error.ts";
import type { RequestContext } from "../storage.ts";
import type { AppObject, AppSpec } from "./app.ts";
import { DEFINITIONS, PLATFORM_GROUP } from "./resource-definition.ts";

/** A part of an app: an object, and where it belongs. */
interface Part {
  readonly group: string;
  readonly plural: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly object: ResourceInput;
}

/** The parts of an app, its definitions first. An object's kind is looked up when the parts before it are written. */
export async function* partsOf(registry: ResourceRegistry, spec: AppSpec): AsyncGenerator<Part, void> {
  for (const definition of spec.definitions) {
    const name = `${definition.names.plural}.${definition.group}`;
    const object = {
      apiVersion: `${PLATFORM_GROUP}/v1`,
      kind: "ResourceDefinition",
      metadata: { name },
      spec: definition,
    };
    yield { ...DEFINITIONS, namespace: undefined, name, object };
  }
  for (const object of spec.objects) yield partOf(registry, object);
}

async function partOf(registry: ResourceRegistry, object: AppObject): Promise<Part> {
  const slash = object.apiVersion.lastIndexOf("/");
  const [group, version] = [object.apiVersion.slice(0, Math.max(0, slash)), object.apiVersion.slice(slash + 1)];
  const found = await registry.version(group, version);
  const resource = found?.version.resources.find(({ served }) => served.kind === object.kind);
  if (resource === undefined) throw badRequest(`no kind ${object.kind} in ${object.apiVersion}`);
  const { scope, plural } = resource.served;
  // What was exported from elsewhere has the identity that it had there.
  const { name, namespace, uid: _uid, resourceVersion: _rv, ...metadata } = object.metadata as AppMetadata;
  const place = scope === "Namespaced" ? (namespace ?? "default") : undefined;
  return { group, plural, namespace: place, name, object: { ...object, metadata: { ...metadata, name } } };
}

type AppMetadata = ResourceInput["metadata"] & { readonly name: string };

/**
 * An app brings nothing that its writer could not have made without it.
 * @throws {StatusError} Forbidden
 */
function checkMayCreate({ identity }: RequestContext, { group, plural, namespace = "", name }: Part): void {
  const asked = { verb: "create", group, resource: plural, subresource: "", namespace, name };
  if (identity.scope === undefined && identity.policy.decide(asked).allowed) return;
  const message = `${qualifiedResource({ group, plural })} "${name}" is forbidden: User "${identity.name}" cannot create it`;
  throw new StatusError("Forbidden", message, { name, group, kind: plural });
}

/**
 * Writes a part so that the app owns it, and resolves to its uid.
 * @throws {StatusError} Conflict, if it is somebody else's; Forbidden
 */
export async function writePart(
  registry: ResourceRegistry,
  context: RequestContext,
  owner: OwnerReference,
  part: Part,
): Promise<string> {
  checkMayCreate(context, part);
  const storage = (await registry.resource(part.group, part.plural))?.storage;
  if (storage?.update === undefined || storage.create === undefined || storage.delete === undefined)
    throw badRequest(`an app cannot bring ${qualifiedResource(part)}`);
  const transform = (current: ResourceObject | undefined): ResourceInput => {
    const { object } = part;
    if (current === undefined) return { ...object, metadata: { ...object.metadata, ownerReferences: [owner] } };
    const { ownerReferences = [], finalizers = [] } = current.metadata;
    if (!ownerReferences.some(({ uid }) => uid === owner.uid)) throw foreign(part, owner.name);
    return { ...object, metadata: { finalizers, ...object.metadata, ownerReferences } };
  };
  const written = await storage.update(context, part.namespace, part.name, transform, { allowCreate: true });
  return written.object.metadata.uid;
}

function foreign({ group, plural, name }: Part, app: string): StatusError {
  const message = `${qualifiedResource({ group, plural })} "${name}" exists and does not belong to the app ${app}`;
  return new StatusError("Conflict", message, { name, group, kind: plural });
}
