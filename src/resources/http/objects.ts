import { withAuthorship, withoutAuthorship } from "../objects/authorship.ts";
import { apiVersionOf } from "../kinds/kind.ts";
import type { JsonObject, ResourceInput, ResourceObject } from "../objects/object.ts";
import { applyJsonPatch } from "../patch/json-patch.ts";
import { applyMergePatch, applyStrategicMergePatch } from "../patch/merge-patch.ts";
import { serverSideApply } from "../patch/apply.ts";
import { isRecord } from "../schema/values.ts";
import { badRequest, type Status, StatusError } from "../status-error.ts";
import type { RequestContext, Transform, UpdateOptions } from "../storage/storage.ts";
import { checkLoad } from "../objects/object-load.ts";
import { timestamp } from "../objects/object-metadata.ts";
import { type ApiCall, authorize, contextOf } from "./call.ts";
import { checkFields, checkIdentity, objectWithMetadata } from "./checks.ts";
import { restOf } from "../storage/delete-collection.ts";
import { decodeBody } from "./body/body.ts";
import { present } from "./present.ts";
import { isDryRun, isTrue, parseDeleteOptions, parseFieldValidation, parseListQuery } from "./query.ts";
import { methodNotAllowed, type ResourceTarget } from "./target.ts";
import { watchObjects } from "./watch/watch-objects.ts";

/** Bytes of a body at the most; Kubernetes' own limit. */
const MAX_BODY_BYTES = 3 * 1024 * 1024;

/**
 * Requests to a kind or an object: every verb but connect. Whether the kind can do it is for those to know who may.
 * @throws {StatusError}
 */
export async function handleObjects(target: ResourceTarget): Promise<Response> {
  const { call, info } = target;
  const collection = info.name === "";
  await permit(target, verbOf(target));
  switch (call.request.method) {
    case "GET":
    case "HEAD":
      return collection ? read(target) : get(target);
    case "POST":
      if (collection) return create(target);
      break;
    case "PUT":
      if (!collection) return replace(target);
      break;
    case "PATCH":
      if (!collection) return patch(target);
      break;
    case "DELETE":
      return collection ? removeCollection(target) : remove(target);
  }
  throw methodNotAllowed(target);
}

/** What a request asks permission for. @see Kubernetes, "Request verbs and authorization" */
function verbOf({ call, info }: ResourceTarget): string {
  const collection = info.name === "";
  switch (call.request.method) {
    case "GET":
    case "HEAD":
      if (!collection) return "get";
      return isTrue(call.url.searchParams.get("watch")) ? "watch" : "list";
    case "POST":
      return "create";
    case "PUT":
      return "update";
    case "DELETE":
      return collection ? "deletecollection" : "delete";
    default:
      return call.request.method.toLowerCase();
  }
}

async function get(target: ResourceTarget): Promise<Response> {
  const { resource, info, call } = target;
  if (resource.storage.get === undefined) throw methodNotAllowed(target);
  const object = await resource.storage.get(contextOf(call, false), info);
  return present(target, object);
}

/** A list, or a watch. */
async function read(target: ResourceTarget): Promise<Response> {
  const { call, resource, info } = target;
  const query = call.url.searchParams;
  const watching = isTrue(query.get("watch"));
  const parsed = parseListQuery(query, resource.served, info.namespace);
  if (watching) {
    if (resource.storage.watch === undefined) throw methodNotAllowed(target);
    return watchObjects(target, parsed);
  }
  if (resource.storage.list === undefined) throw methodNotAllowed(target);
  return present(target, await resource.storage.list(contextOf(call, false), parsed));
}

async function create(target: ResourceTarget): Promise<Response> {
  const { call, resource, info } = target;
  if (resource.storage.create === undefined) throw methodNotAllowed(target);
  const input = await readObject(target);
  checkIdentity(resource.served, info, input);
  call.trail.name = input.metadata.name ?? "";
  const object = await resource.storage.create(writeContext(call), info.namespace, input);
  call.trail.name = object.metadata.name;
  return present(target, object, 201);
}

async function replace(target: ResourceTarget): Promise<Response> {
  const { call, resource, info } = target;
  if (resource.storage.update === undefined) throw methodNotAllowed(target);
  const input = await readObject(target);
  checkIdentity(resource.served, info, input);
  return update(target, writeContext(call), () => input, { allowCreate: false, replaces: true });
}

async function patch(target: ResourceTarget): Promise<Response> {
  const { call, resource } = target;
  if (resource.storage.update === undefined) throw methodNotAllowed(target);
  const type = (call.request.headers.get("content-type") ?? "").split(";")[0]?.trim();
  const context = writeContext(call);
  switch (type) {
    case "application/json-patch+json": {
      const { object: operations } = await decodeBody(call.request, { limit: MAX_BODY_BYTES });
      return update(target, context, (current) => patched(target, applyJsonPatch(current, operations)));
    }
    case "application/merge-patch+json": {
      const { object: change } = await decodeBody(call.request, { limit: MAX_BODY_BYTES });
      return update(target, context, (current) => patched(target, applyMergePatch(current, change)));
    }
    // Lists are replaced, as for custom kinds: without Go types there are no merge keys.
    case "application/strategic-merge-patch+json": {
      const { object: change } = await decodeBody(call.request, { limit: MAX_BODY_BYTES });
      return update(target, context, (current) => patched(target, applyStrategicMergePatch(current, change)));
    }
    case "application/apply-patch+yaml":
    case "application/apply-patch+json":
      return apply(target, context);
    default:
      throw new StatusError(
        "UnsupportedMediaType",
        `the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml`,
      );
  }
}

/** Server-side apply: creates what is not there, for those who may. */
async function apply(target: ResourceTarget, context: RequestContext): Promise<Response> {
  const { call, resource, info } = target;
  const query = call.url.searchParams;
  if (!query.get("fieldManager")) {
    throw badRequest(
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    );
  }
  const applied = await readObject(target);
  checkIdentity(resource.served, info, applied);
  if (applied.metadata.name === undefined) throw badRequest("metadata.name: Required value");
  const transform: Transform = async (live) => {
    if (live === undefined) await permit(target, "create");
    const { object } = serverSideApply({
      live: live === undefined ? undefined : withoutAuthorship(live),
      applied: withoutAuthorship(applied),
      manager: context.fieldManager,
      force: isTrue(query.get("force")),
      apiVersion: apiVersionOf(resource.served),
      time: timestamp(call.services.clock()),
      subresource: info.subresource === "status" ? "status" : undefined,
      node: resource.served.schema,
      hasStatus: resource.served.hasStatus,
    });
    return withAuthorship(object, live, applied);
  };
  return update(target, context, transform, { allowCreate: info.subresource === "", ownersGiven: true });
}

async function update(
  target: ResourceTarget,
  context: RequestContext,
  transform: Transform,
  how: Omit<UpdateOptions, "subresource"> = { allowCreate: false },
): Promise<Response> {
  const { resource, info } = target;
  if (resource.storage.update === undefined) throw methodNotAllowed(target);
  const options = { ...how, ...(info.subresource === "status" ? { subresource: "status" as const } : {}) };
  const { object, created } = await resource.storage.update(context, info, transform, options);
  return present(target, object, created ? 201 : 200);
}

/** A patched object, checked like one that was sent whole. */
function patched(target: ResourceTarget, value: unknown): ResourceInput {
  const { resource, info, call } = target;
  if (!isRecord(value) || !isRecord(value["metadata"])) throw badRequest("the patch leaves no object");
  const object = objectWithMetadata(value as JsonObject);
  checkLoad(resource.served, info.name, object);
  checkFields(object, resource.served, parseFieldValidation(call.url.searchParams), [], call.warnings);
  checkIdentity(resource.served, info, object);
  return object;
}

async function remove(target: ResourceTarget): Promise<Response> {
  const { call, resource, info } = target;
  if (resource.storage.delete === undefined) throw methodNotAllowed(target);
  const options = parseDeleteOptions(call.url.searchParams, await readOptions(call));
  const deleted = await resource.storage.delete(contextOf(call, options.dryRun), info, options);
  return deleted.gone ? Response.json(deletedStatus(target, deleted.object)) : present(target, deleted.object);
}

/** The first of them at once; if there are more the answer is 202, and they go after it. */
async function removeCollection(target: ResourceTarget): Promise<Response> {
  const { call, resource, info } = target;
  if (resource.storage.deleteCollection === undefined) throw methodNotAllowed(target);
  const options = parseDeleteOptions(call.url.searchParams, await readOptions(call));
  const query = parseListQuery(call.url.searchParams, resource.served, info.namespace);
  const since = timestamp(call.services.clock());
  const page = await resource.storage.deleteCollection(contextOf(call, options.dryRun), query, options);
  const rest = options.dryRun ? undefined : restOf(resource.served, query, options, page, since);
  if (rest === undefined) return present(target, page);
  await call.services.defer(rest);
  const { continue: _next, ...answered } = page;
  return present(target, answered, 202);
}

function deletedStatus({ resource }: ResourceTarget, object: ResourceObject): Status {
  const { group, plural } = resource.served;
  const details = { name: object.metadata.name, group, kind: plural, uid: object.metadata.uid };
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details, code: 200 };
}

async function readObject(target: ResourceTarget): Promise<ResourceInput> {
  const { call, resource } = target;
  const { object, duplicates } = await decodeBody(call.request, { limit: MAX_BODY_BYTES });
  const withMetadata = objectWithMetadata(object);
  checkLoad(resource.served, target.info.name || (withMetadata.metadata.name ?? ""), withMetadata);
  checkFields(withMetadata, resource.served, parseFieldValidation(call.url.searchParams), duplicates, call.warnings);
  return withMetadata;
}

async function readOptions(call: ApiCall): Promise<Readonly<Record<string, unknown>>> {
  if (call.request.body === null || call.request.headers.get("content-length") === "0") return {};
  const { object } = await decodeBody(call.request, { limit: MAX_BODY_BYTES });
  return object;
}

function writeContext(call: ApiCall): RequestContext {
  return contextOf(call, isDryRun(call.url.searchParams.getAll("dryRun")));
}

async function permit(target: ResourceTarget, verb: string): Promise<void> {
  const { group, version, plural } = target.resource.served;
  const { namespace = "", name, subresource } = target.info;
  await authorize(target.call, { verb, group, version, resource: plural, subresource, namespace, name });
}
