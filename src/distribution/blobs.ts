import type { Digest, RepositoryName } from "../oci/index.ts";
import type { LinkedBlob } from "../content/index.ts";
import { parseRange } from "./byte-range.ts";
import { type Call, CONTENT_CACHE_CONTROL, isUnchanged, methodNotAllowed } from "./context.ts";
import { errorResponse, failureResponse } from "./errors.ts";
import { forbidden, recordDone } from "./refusals.ts";

/** `GET`, `HEAD` and `DELETE /v2/<name>/blobs/<digest>`. @see distribution-spec end-2 and end-10 */
export async function blob(call: Call, repository: RepositoryName, digest: Digest): Promise<Response> {
  switch (call.request.method) {
    case "GET":
    case "HEAD":
      return forbidden(call, "pull", repository) ?? (await pull(call, repository, digest));
    case "DELETE":
      return forbidden(call, "delete", repository) ?? (await remove(call, repository, digest));
    default:
      return methodNotAllowed(call);
  }
}

async function pull(call: Call, repository: RepositoryName, digest: Digest): Promise<Response> {
  const { request, services, fresh, sought } = call;
  const found = await (sought?.blob ?? services.blobs.seek(repository, digest, fresh))();
  if (!found.ok) return failureResponse(found.error);
  const headers = blobHeaders(found.value);
  if (isUnchanged(request, `"${digest}"`)) return new Response(null, { status: 304, headers });
  if (request.method === "HEAD") {
    headers["content-length"] = String(found.value.size);
    return new Response(null, { headers });
  }
  const location = await services.blobs.redirect(found.value);
  if (location !== undefined)
    return new Response(null, { status: 307, headers: { ...headers, location, "cache-control": "no-store" } });
  return send(call, found.value, headers);
}

async function send(call: Call, found: LinkedBlob, headers: Record<string, string>): Promise<Response> {
  const { size } = found;
  const wanted = parseRange(rangeHeader(call.request, headers["etag"]), size);
  if (wanted.kind === "unsatisfiable") {
    return errorResponse("RANGE_INVALID", {
      message: "requested range not satisfiable",
      detail: `the blob has ${size} bytes`,
      headers: { "content-range": `bytes */${size}` },
    });
  }
  if (wanted.kind === "whole") {
    headers["content-length"] = String(size);
    return new Response(await call.services.blobs.read(found, undefined, call.url.host), { headers });
  }
  const { offset, length } = wanted.range;
  headers["content-length"] = String(length);
  headers["content-range"] = `bytes ${offset}-${offset + length - 1}/${size}`;
  return new Response(await call.services.blobs.read(found, wanted.range, call.url.host), { status: 206, headers });
}

/** The range that is asked for, unless only of content that this is not (`If-Range`, RFC 9110 section 13.1.5). */
function rangeHeader({ headers }: Request, etag: string | undefined): string | null {
  const condition = headers.get("if-range");
  return condition === null || condition === etag ? headers.get("range") : null;
}

async function remove(call: Call, repository: RepositoryName, digest: Digest): Promise<Response> {
  const removed = await call.services.blobs.remove(repository, digest);
  if (!removed.ok) return failureResponse(removed.error);
  recordDone(call, "delete", repository, `@${digest}`, 202);
  return new Response(null, { status: 202 });
}

function blobHeaders({ digest }: LinkedBlob): Record<string, string> {
  return {
    "content-type": "application/octet-stream",
    "docker-content-digest": digest,
    etag: `"${digest}"`,
    "accept-ranges": "bytes",
    "cache-control": CONTENT_CACHE_CONTROL.immutable,
  };
}
