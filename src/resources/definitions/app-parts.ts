import type { Identity } from "../../access/index.ts";
import type { ServedResource } from "../kinds/api-model.ts";
import { type Authorizer, placed } from "../authorizer.ts";
import { WITHHELD } from "../embedded/index.ts";
import type { KindKey } from "../client.ts";
import { splitApiVersion } from "../kinds/kind.ts";
import type { OwnerReference, ResourceInput, ResourceObject } from "../objects/object.ts";
import type { ObjectRef } from "../objects/object-ref.ts";
import type { ResourceRegistry } from "../kinds/resource-registry.ts";
import { badRequest, ignoring, qualifiedResource, StatusError } from "../status-error.ts";
import type { RequestContext } from "../storage/storage.ts";
import type { AppObject, AppSpec } from "./app.ts";
import { DEFINITIONS, type DefinitionSpec, PLATFORM_GROUP } from "./resource-definition.ts";

/** Names a part of an app. */
export type PartRef = KindKey & ObjectRef;

/** A part of an app: an object, and where it belongs. */
interface Part extends PartRef {
  readonly version: string;
  readonly object: ResourceInput;
  /** Absent if the app itself brings the kind, and it is not there yet. */
  readonly resource: ServedResource | undefined;
}

/** What is wanted of whoever changes an app, for one of its parts. */
export type PartVerb = "create" | "update" | "delete";

/**
 * The parts of an app, its definitions first. An object's kind is looked up when the parts before it were taken: it may
 * be written by then.
 * @throws {StatusError} BadRequest for a kind that is neither there nor brought by the app
 */
export async function* partsOf(registry: ResourceRegistry, spec: AppSpec): AsyncGenerator<Part, void> {
  const resource = await registry.resource(DEFINITIONS.group, DEFINITIONS.plural);
  for (const definition of spec.definitions) {
    const name = `${definition.names.plural}.${definition.group}`;
    const object = {
      apiVersion: `${PLATFORM_GROUP}/v1`,
      kind: "ResourceDefinition",
      metadata: { name },
      spec: definition,
    };
    yield { ...DEFINITIONS, version: "v1", name, object, resource };
  }
  for (const object of spec.objects) yield partOf(registry, object, spec.definitions);
}

async function partOf(
  registry: ResourceRegistry,
  object: AppObject,
  definitions: readonly DefinitionSpec[],
): Promise<Part> {
  const [group, version] = splitApiVersion(object.apiVersion);
  const found = await registry.version(group, version);
  const resource = found?.version.resources.find(({ served }) => served.kind === object.kind);
  const brought = definitions.find((definition) => definition.group === group && definition.names.kind === object.kind);
  const plural = resource?.served.plural ?? brought?.names.plural;
  const scope = resource?.served.scope ?? brought?.scope;
  if (plural === undefined) throw badRequest(`no kind ${object.kind} in ${object.apiVersion}`);
  // What was exported from elsewhere has the identity that it had there.
  const { name, namespace, uid: _uid, resourceVersion: _rv, annotations, ...metadata } = object.metadata as AppMetadata;
  const { [WITHHELD]: _withheld, ...noted } = annotations ?? {};
  const ref = scope === "Namespaced" ? { namespace: namespace ?? "default", name } : { name };
  const given = annotations === undefined ? {} : { annotations: noted };
  const bare = { ...object, metadata: { ...metadata, ...given, name } };
  return { group, version, plural, ...ref, object: bare, resource };
}

type AppMetadata = ResourceInput["metadata"] & { readonly name: string };

/**
 * Refuses what whoever changes an app may not do without it.
 * @throws {StatusError} Forbidden
 */
export async function requirePart(
  authorizer: Authorizer,
  identity: Identity,
  verb: PartVerb,
  { group, plural, namespace = "", name, version = "v1" }: PartRef & { readonly version?: string },
): Promise<void> {
  const about = placed({ group, resource: plural, subresource: "", namespace, name });
  const { decision } = await authorizer({ ...about, verb, version, identity, path: "" });
  if (decision === "allow") return;
  const message = `${qualifiedResource({ group, plural })} "${name}" is forbidden: User "${identity.name}" cannot ${verb} it`;
  throw new StatusError("Forbidden", message, { name, group, kind: plural });
}

/** What an app would do to a part: `update` what is there, `create` what is not. */
export async function verbFor(part: Part, context: RequestContext): Promise<PartVerb> {
  const current = await part.resource?.storage.get?.(context, part).catch(ignoring("NotFound"));
  return current === undefined ? "create" : "update";
}

/**
 * Writes a part so that the app owns it, and resolves to its uid. What is write-only and not given stays as it is.
 * @throws {StatusError} Conflict, if it is somebody else's; Forbidden
 */
export async function writePart(
  authorizer: Authorizer,
  context: RequestContext,
  owner: OwnerReference,
  part: Part,
): Promise<string> {
  const storage = part.resource?.storage;
  if (storage?.update === undefined || storage.create === undefined || storage.delete === undefined)
    throw badRequest(`an app cannot bring ${qualifiedResource(part)}`);
  const transform = async (current: ResourceObject | undefined): Promise<ResourceInput> => {
    const { object } = part;
    await requirePart(authorizer, context.identity, current === undefined ? "create" : "update", part);
    if (current === undefined) return { ...object, metadata: { ...object.metadata, ownerReferences: [owner] } };
    const { ownerReferences = [], finalizers = [] } = current.metadata;
    if (!ownerReferences.some(({ uid }) => uid === owner.uid)) throw foreign(part, owner.name);
    return { ...object, metadata: { finalizers, ...object.metadata, ownerReferences } };
  };
  const written = await storage.update(context, part, transform, { allowCreate: true });
  return written.object.metadata.uid;
}

function foreign({ group, plural, name }: Part, app: string): StatusError {
  const message = `${qualifiedResource({ group, plural })} "${name}" exists and does not belong to the app ${app}`;
  return new StatusError("Conflict", message, { name, group, kind: plural });
}
