import { readBody } from "../http/index.ts";
import { isIndex, parseTag, type Reference, type RepositoryName, type Tag } from "../oci/index.ts";
import { MAX_MANIFEST_BYTES, type StoredManifest } from "../content/index.ts";
import { wantsImageOnly } from "./accept.ts";
import { type Call, CONTENT_CACHE_CONTROL, isUnchanged, methodNotAllowed } from "./context.ts";
import { bodyFaultResponse, errorResponse, failureResponse } from "./errors.ts";
import { forbidden, recordDone } from "./refusals.ts";

/** The platform of the image that a client gets which cannot take an index, as Docker's registry chooses it. */
const FALLBACK_PLATFORM = { os: "linux", architecture: "amd64" } as const;

/** `GET`, `HEAD`, `PUT` and `DELETE /v2/<name>/manifests/<reference>`. @see distribution-spec end-3, end-7 and end-9 */
export async function manifest(call: Call, repository: RepositoryName, reference: Reference): Promise<Response> {
  switch (call.request.method) {
    case "GET":
    case "HEAD":
      return forbidden(call, "pull", repository) ?? (await pull(call, repository, reference));
    case "PUT":
      return forbidden(call, "push", repository) ?? (await push(call, repository, reference));
    case "DELETE":
      return forbidden(call, "delete", repository) ?? (await remove(call, repository, reference));
    default:
      return methodNotAllowed(call);
  }
}

async function pull(call: Call, repository: RepositoryName, reference: Reference): Promise<Response> {
  const { request, services, fresh, sought } = call;
  const found = await (sought?.manifest ?? services.manifests.seek(repository, reference, fresh))();
  if (!found.ok) return failureResponse(found.error);
  if (services.auditReads) recordDone(call, "pull", repository, itemOf(reference), 200);
  const chosen = reference.kind === "tag" ? await acceptable(call, repository, found.value) : found.value;
  const headers: Record<string, string> = {
    "content-type": chosen.mediaType,
    "docker-content-digest": chosen.digest,
    etag: `"${chosen.digest}"`,
    vary: "accept",
    "cache-control": reference.kind === "tag" ? CONTENT_CACHE_CONTROL.named : CONTENT_CACHE_CONTROL.immutable,
  };
  if (isUnchanged(request, `"${chosen.digest}"`)) return new Response(null, { status: 304, headers });
  headers["content-length"] = String(chosen.size);
  return new Response(request.method === "HEAD" ? null : await services.manifests.read(chosen), { headers });
}

/** What a tag names, or for a client that cannot take an index, the image in it that such clients have always got. */
async function acceptable(call: Call, repository: RepositoryName, found: StoredManifest): Promise<StoredManifest> {
  if (!isIndex(found.mediaType) || !wantsImageOnly(call.request.headers.get("accept"))) return found;
  const { manifests } = call.services;
  const digest = await manifests.childFor(found, FALLBACK_PLATFORM);
  const child =
    digest === undefined ? undefined : await manifests.find(repository, { kind: "digest", digest }, call.fresh);
  return child?.ok ? child.value : found;
}

async function push(call: Call, repository: RepositoryName, reference: Reference): Promise<Response> {
  const { request, services, url } = call;
  if (url.searchParams.getAll("tag").length > MAX_TAG_PARAMETERS) {
    return errorResponse("TAG_INVALID", { status: 414, message: `more than ${MAX_TAG_PARAMETERS} tags in one push` });
  }
  const tags = tagParameters(url.searchParams);
  if (tags === undefined) return errorResponse("TAG_INVALID", { detail: url.searchParams.getAll("tag") });
  const read = await readBody(request, { limit: MAX_MANIFEST_BYTES });
  if (!read.ok) return bodyFaultResponse(read.error);
  const contentType = request.headers.get("content-type") ?? undefined;
  const pushed = await services.manifests.put({
    repository,
    reference,
    tags,
    bytes: read.value,
    contentType,
  });
  if (!pushed.ok) return failureResponse(pushed.error);
  recordDone(call, "push", repository, itemOf(reference), 201);
  const { digest, subject } = pushed.value;
  const headers = new Headers({
    location: `/v2/${repository}/manifests/${digest}`,
    "docker-content-digest": digest,
  });
  if (subject !== undefined) headers.set("oci-subject", subject);
  for (const tag of tags) headers.append("oci-tag", tag);
  return new Response(null, { status: 201, headers });
}

/** Most tags that one push may set. @see distribution-spec end-7b, which asks for 10 and names the status */
const MAX_TAG_PARAMETERS = 100;

/** The tags of `?tag=a&tag=b`, or `undefined` if one is malformed. @see distribution-spec end-7b */
function tagParameters(query: URLSearchParams): Tag[] | undefined {
  const tags = query.getAll("tag").map(parseTag);
  const valid = tags.filter((tag) => tag !== undefined);
  return valid.length === tags.length ? valid : undefined;
}

/** How the audit names a manifest within its repository. */
function itemOf(reference: Reference): string {
  return reference.kind === "tag" ? `:${reference.tag}` : `@${reference.digest}`;
}

async function remove(call: Call, repository: RepositoryName, reference: Reference): Promise<Response> {
  const { services } = call;
  const removed = await (reference.kind === "tag"
    ? services.names.removeTag(repository, reference.tag)
    : services.manifests.remove(repository, reference.digest));
  if (!removed.ok) return failureResponse(removed.error);
  recordDone(call, "delete", repository, itemOf(reference), 202);
  return new Response(null, { status: 202 });
}
