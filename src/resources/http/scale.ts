import type { ScalePaths } from "../kinds/kind.ts";
import type { JsonObject, ResourceInput, ResourceObject } from "../objects/object.ts";
import { applyJsonPatch } from "../patch/json-patch.ts";
import { applyMergePatch } from "../patch/merge-patch.ts";
import { isRecord, own } from "../schema/values.ts";
import { badRequest, invalid, StatusError } from "../status-error.ts";
import { authorize, contextOf } from "./call.ts";
import { objectWithMetadata } from "./checks.ts";
import { decodeBody } from "./body/body.ts";
import { isDryRun } from "./query.ts";
import { methodNotAllowed, type ResourceTarget } from "./target.ts";

const MAX_BODY_BYTES = 64 * 1024;
const VERBS: Readonly<Record<string, string>> = { GET: "get", HEAD: "get", PUT: "update", PATCH: "patch" };

/**
 * `…/scale`: how many of something an object counts, in a form that is the same for all kinds.
 * @throws {StatusError}
 * @see Kubernetes API, autoscaling/v1 Scale
 */
export async function handleScale(target: ResourceTarget, paths: ScalePaths): Promise<Response> {
  const { call, info, resource } = target;
  const { group, version, plural } = resource.served;
  const verb = VERBS[call.request.method];
  const { namespace = "", name, subresource } = info;
  const asked = { group, version, resource: plural, subresource, namespace, name };
  await authorize(call, { verb: verb ?? call.request.method.toLowerCase(), ...asked });
  if (verb === undefined) throw methodNotAllowed(target);
  if (verb === "get") {
    if (resource.storage.get === undefined) throw methodNotAllowed(target);
    return answer(await resource.storage.get(contextOf(call, false), { namespace: info.namespace, name }), paths);
  }
  if (resource.storage.update === undefined) throw methodNotAllowed(target);
  const change = await readChange(target, verb);
  const context = contextOf(call, isDryRun(call.url.searchParams.getAll("dryRun")));
  const transform = (current: ResourceObject | undefined): ResourceInput => {
    if (current === undefined) throw new StatusError("NotFound", `${plural} "${name}" not found`);
    const wanted = change(scaleOf(current, paths));
    const replicas = replicasOf(target, wanted);
    const { uid, resourceVersion } = wanted.metadata;
    const changed = withValue(current as unknown as JsonObject, paths.specReplicasPath, replicas);
    // What the client insists on is compared with the object.
    const metadata = { ...current.metadata, resourceVersion: resourceVersion ?? "", uid: uid ?? current.metadata.uid };
    return { ...changed, metadata } as unknown as ResourceInput;
  };
  const { object } = await resource.storage.update(context, { namespace: info.namespace, name }, transform, {
    allowCreate: false,
  });
  return answer(object, paths);
}

/** What makes of the present scale the one that is wanted. */
async function readChange(target: ResourceTarget, verb: string): Promise<(scale: JsonObject) => ResourceInput> {
  const { object, kindOfBody } = await decodeBody(target.call.request, { limit: MAX_BODY_BYTES });
  if (verb === "update") return () => objectWithMetadata(object);
  const patched = (value: unknown): ResourceInput => {
    if (!isRecord(value)) throw badRequest("the patch leaves no object");
    return objectWithMetadata(value as JsonObject);
  };
  switch (kindOfBody) {
    case "json-patch":
      return (scale) => patched(applyJsonPatch(withoutVersion(scale), object));
    case "merge-patch":
    case "strategic-merge-patch":
      return (scale) => patched(applyMergePatch(withoutVersion(scale), object));
    default:
      throw new StatusError("UnsupportedMediaType", "scale takes a JSON patch or a merge patch");
  }
}

/** A patch that says nothing of the version is for any. */
function withoutVersion(scale: JsonObject): JsonObject {
  const { resourceVersion: _version, ...metadata } = scale["metadata"] as JsonObject;
  return { ...scale, metadata };
}

function replicasOf({ resource, info }: ResourceTarget, wanted: ResourceInput): number {
  const replicas = isRecord(wanted.spec) ? (wanted.spec["replicas"] ?? 0) : 0;
  if (typeof replicas === "number" && Number.isInteger(replicas) && replicas >= 0) return replicas;
  const message = `Invalid value: ${JSON.stringify(replicas)}: must be a whole number, and not negative`;
  throw invalid(resource.served, info.name, [{ reason: "FieldValueInvalid", field: "spec.replicas", message }]);
}

function answer(object: ResourceObject, paths: ScalePaths): Response {
  return Response.json(scaleOf(object, paths), { headers: { "cache-control": "no-cache, private" } });
}

function scaleOf(object: ResourceObject, paths: ScalePaths): JsonObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const place = namespace === undefined ? {} : { namespace };
  const replicas = valueAt(object, paths.specReplicasPath);
  const present = valueAt(object, paths.statusReplicasPath);
  const selector = paths.labelSelectorPath === undefined ? undefined : valueAt(object, paths.labelSelectorPath);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, ...place, uid, resourceVersion, creationTimestamp },
    spec: typeof replicas === "number" ? { replicas } : {},
    status: {
      replicas: typeof present === "number" ? present : 0,
      ...(typeof selector === "string" ? { selector } : {}),
    },
  };
}

function valueAt(object: unknown, path: string): unknown {
  return namesOf(path).reduce<unknown>((node, name) => (isRecord(node) ? own(node, name) : undefined), object);
}

function withValue(object: JsonObject, path: string, value: number): JsonObject {
  const [name = "", ...rest] = namesOf(path);
  if (rest.length === 0) return { ...object, [name]: value };
  const child = own(object, name);
  return { ...object, [name]: withValue(isRecord(child) ? child : {}, `.${rest.join(".")}`, value) };
}

function namesOf(path: string): string[] {
  return path.slice(1).split(".");
}
