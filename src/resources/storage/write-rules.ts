import { withoutAuthorship } from "../objects/authorship.ts";
import { apiVersionOf, type ServedKind } from "../kinds/kind.ts";
import { checkName, checkNamespaceName } from "../objects/names.ts";
import type { ObjectMeta, ResourceInput, ResourceObject } from "../objects/object.ts";
import { nextMetadata } from "../objects/object-metadata.ts";
import type { ObjectRef } from "../objects/object-ref.ts";
import { recordUpdate } from "../patch/managed-fields.ts";
import { badRequest, conflict, invalid } from "../status-error.ts";
import type { RequestContext } from "./storage.ts";

/** @throws {StatusError} Invalid, BadRequest: no object of the kind can be called so */
export function checkRef(kind: ServedKind, { namespace, name }: ObjectRef): void {
  const { scope } = kind;
  if ((scope === "Cluster") !== (namespace === undefined)) {
    throw badRequest(scope === "Cluster" ? "a namespace may not be set" : "an empty namespace may not be set");
  }
  const causes = [
    ...(kind.checkName ?? checkName)(name),
    ...(namespace === undefined ? [] : checkNamespaceName(namespace, "metadata.namespace")),
  ];
  if (causes.length > 0) throw invalid(kind, name, causes);
}

/**
 * Checks that the present object is the one that the caller means.
 * @throws {StatusError} Conflict
 */
export function checkPreconditions(
  kind: ServedKind,
  name: string,
  current: ObjectMeta | undefined,
  { uid, resourceVersion }: Pick<Partial<ObjectMeta>, "uid" | "resourceVersion">,
): void {
  const isOther = uid !== undefined && uid !== "" && uid !== current?.uid;
  const isChanged =
    resourceVersion !== undefined && resourceVersion !== "" && resourceVersion !== current?.resourceVersion;
  if (isOther || isChanged) throw conflict(kind, name);
}

/** What was sent without the uid and version of an object that is not stored; any others are a conflict. */
export function withoutIdentityOf(sent: ResourceInput, implied: ResourceObject | undefined): ResourceInput {
  if (implied === undefined) return sent;
  const { uid, resourceVersion, ...metadata } = sent.metadata;
  return {
    ...sent,
    metadata: {
      ...metadata,
      ...(uid === undefined || uid === implied.metadata.uid ? {} : { uid }),
      ...(resourceVersion === undefined || resourceVersion === implied.metadata.resourceVersion
        ? {}
        : { resourceVersion }),
    },
  };
}

/** The object as it was sent, but for what is not the client's. */
export function proposed(
  kind: ServedKind,
  current: ResourceObject,
  { status, ...next }: ResourceInput,
): ResourceObject {
  const kept = kind.hasStatus ? current.status : status;
  return {
    ...next,
    apiVersion: current.apiVersion,
    kind: current.kind,
    metadata: nextMetadata(current.metadata, next.metadata),
    ...(kept === undefined ? {} : { status: kept }),
  };
}

/** A change of an object's fields. */
export interface FieldChange {
  readonly previous: ResourceObject | undefined;
  readonly next: ResourceObject;
  readonly subresource?: "status" | undefined;
  readonly time: string;
}

/** The object with who owns which field, worked out from what the write changed. */
export function withFieldOwners(
  kind: ServedKind,
  context: RequestContext,
  { previous, next, subresource, time }: FieldChange,
): ResourceObject {
  const managedFields = recordUpdate({
    previous: previous === undefined ? undefined : withoutAuthorship(previous),
    next: withoutAuthorship(next),
    manager: context.fieldManager,
    apiVersion: apiVersionOf(kind),
    time,
    subresource,
    node: kind.schema,
    hasStatus: kind.hasStatus,
  });
  const { managedFields: _before, ...metadata } = next.metadata;
  return { ...next, metadata: managedFields.length === 0 ? metadata : { ...metadata, managedFields } };
}
