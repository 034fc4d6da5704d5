import { err, ok, type Result } from "../platform/index.ts";
import {
  type Digest,
  digestAlgorithm,
  type DigestAlgorithm,
  isDigestAlgorithm,
  parseDigest,
  parseRepositoryName,
  type RepositoryName,
} from "../oci/index.ts";
import { isAnonymous } from "../access/index.ts";
import { type UploadAccount, type UploadAddress, type UploadBody } from "../content/index.ts";
import { parseContentRange, uploadRange } from "./byte-range.ts";
import { type Call, methodNotAllowed } from "./context.ts";
import { errorResponse, failureResponse } from "./errors.ts";
import { forbidden } from "./refusals.ts";

/** The query parameter that carries an upload's proof in its `Location`. */
const STATE = "_state";

/** How many times the uploads of an account those may have open, together, who are not known. */
const ANONYMOUS_TIMES = 10;

/** `POST /v2/<name>/blobs/uploads/`. @see distribution-spec end-4 and end-11 */
export async function uploads(call: Call, repository: RepositoryName): Promise<Response> {
  const { request, url } = call;
  if (request.method !== "POST") return methodNotAllowed(call);
  const refusal = forbidden(call, "push", repository);
  if (refusal !== undefined) return refusal;
  const query = url.searchParams;
  if (query.has("mount")) return mount(call, repository);
  if (query.has("digest")) return pushWhole(call, repository);
  return open(call, repository);
}

/** `GET`, `HEAD`, `PATCH`, `PUT` and `DELETE` of an upload's `Location`. @see distribution-spec end-5, end-6, end-13, end-14 */
export async function upload(call: Call, repository: RepositoryName, id: string): Promise<Response> {
  const refusal = forbidden(call, "push", repository);
  if (refusal !== undefined) return refusal;
  const state = call.url.searchParams.get(STATE) ?? "";
  const address: UploadAddress = { repository, id, state, account: accountOf(call) };
  switch (call.request.method) {
    case "GET":
    case "HEAD":
      return status(call, address);
    case "PATCH":
      return append(call, address);
    case "PUT":
      return close(call, address);
    case "DELETE": {
      const cancelled = await call.services.uploads.cancel(address);
      return cancelled.ok ? new Response(null, { status: 204 }) : failureResponse(cancelled.error);
    }
    default:
      return methodNotAllowed(call);
  }
}

/** Everybody who is not known is one account, which may have more. */
function accountOf({ identity, services }: Call): UploadAccount {
  const limit = services.openUploads * (isAnonymous(identity) ? ANONYMOUS_TIMES : 1);
  return { name: identity.name, limit };
}

async function open(call: Call, repository: RepositoryName): Promise<Response> {
  const hint = call.url.searchParams.get("digest-algorithm") ?? "sha256";
  if (!isDigestAlgorithm(hint)) return unsupportedDigest(hint);
  return opened(call, repository, hint);
}

async function opened(call: Call, repository: RepositoryName, algorithm: DigestAlgorithm): Promise<Response> {
  const address = await call.services.uploads.open(repository, algorithm);
  return new Response(null, { status: 202, headers: uploadHeaders(call, address, 0) });
}

async function mount(call: Call, repository: RepositoryName): Promise<Response> {
  const { services, identity, url } = call;
  const digest = parseDigest(url.searchParams.get("mount") ?? "");
  const source = url.searchParams.get("from");
  const from = source === null ? undefined : parseRepositoryName(source);
  const mayRead = (candidate: RepositoryName) => services.gate.allows(identity, "pull", candidate);
  // What cannot be mounted is pushed instead; the specification asks for an upload then, not for an error.
  const named = source === null || from !== undefined;
  const mounted = digest !== undefined && named && (await services.blobs.mount(repository, digest, from, mayRead));
  if (mounted) return created(repository, digest);
  return digest === undefined ? open(call, repository) : opened(call, repository, digestAlgorithm(digest));
}

async function pushWhole(call: Call, repository: RepositoryName): Promise<Response> {
  const named = digestParameter(call);
  if (!named.ok) return named.error;
  const digest = named.value;
  const { stream, length } = requestBody(call.request);
  if (length !== undefined) {
    const pushed = await call.services.uploads.push(repository, digest, stream, length);
    return pushed.ok ? created(repository, digest) : failureResponse(pushed.error);
  }
  const address = await call.services.uploads.open(repository, digestAlgorithm(digest));
  const counted = { ...address, account: accountOf(call) };
  const closed = await call.services.uploads.close(counted, digest, { stream, length });
  return closed.ok ? created(repository, digest) : failureResponse(closed.error);
}

async function status(call: Call, address: UploadAddress): Promise<Response> {
  const size = await call.services.uploads.status(address);
  return size.ok
    ? new Response(null, { status: 204, headers: uploadHeaders(call, address, size.value) })
    : failureResponse(size.error);
}

async function append(call: Call, address: UploadAddress): Promise<Response> {
  const body = chunk(call.request);
  if (!body.ok) return body.error;
  const size = await call.services.uploads.append(address, body.value);
  if (size.ok) return new Response(null, { status: 202, headers: uploadHeaders(call, address, size.value) });
  return uploadFailure(call, address, size.error);
}

async function close(call: Call, address: UploadAddress): Promise<Response> {
  const digest = digestParameter(call);
  if (!digest.ok) return digest.error;
  const body = chunk(call.request);
  if (!body.ok) return body.error;
  const closed = await call.services.uploads.close(address, digest.value, body.value);
  return closed.ok ? created(address.repository, digest.value) : uploadFailure(call, address, closed.error);
}

/** A failure that leaves the upload open also says where it stands, so that a client need not ask. */
function uploadFailure(call: Call, address: UploadAddress, failure: Parameters<typeof failureResponse>[0]): Response {
  const response = failureResponse(failure);
  if (failure.reason === "upload-out-of-order") {
    for (const [name, value] of Object.entries(uploadHeaders(call, address, failure.expected))) {
      if (name !== "content-length") response.headers.set(name, value);
    }
  }
  return response;
}

/** The body of a `PATCH` or closing `PUT`, with the place that `Content-Range` gives it. */
function chunk(request: Request): Result<UploadBody, Response> {
  const body = requestBody(request);
  const header = request.headers.get("content-range");
  if (header === null) return ok(body);
  const range = parseContentRange(header);
  if (range === undefined) return err(errorResponse("RANGE_INVALID", { detail: header }));
  const length = range.last - range.first + 1;
  if (body.length !== undefined && body.length > 0 && length !== body.length) {
    const detail = `Content-Range names ${length} bytes, Content-Length ${body.length}`;
    return err(errorResponse("SIZE_INVALID", { detail }));
  }
  return ok({ ...body, offset: range.first });
}

function requestBody(request: Request): UploadBody {
  const header = request.headers.get("content-length");
  const length = header === null ? undefined : Number(header);
  // Without a length and without a coding there is no body either.
  if (length === 0 || request.body === null) return { stream: null, length: 0 };
  return { stream: request.body, length };
}

function digestParameter(call: Call): Result<Digest, Response> {
  const text = call.url.searchParams.get("digest");
  if (text === null || text === "")
    return err(errorResponse("DIGEST_INVALID", { message: "the digest parameter is missing" }));
  const digest = parseDigest(text);
  return digest === undefined ? err(unsupportedDigest(text)) : ok(digest);
}

function unsupportedDigest(text: string): Response {
  return errorResponse("DIGEST_INVALID", {
    message: "digest is malformed or its algorithm is not supported",
    detail: text.slice(0, 200),
  });
}

function created(repository: RepositoryName, digest: Digest): Response {
  const headers = { location: `/v2/${repository}/blobs/${digest}`, "docker-content-digest": digest };
  return new Response(null, { status: 201, headers });
}

function uploadHeaders(call: Call, { repository, id, state }: UploadAddress, size: number): Record<string, string> {
  return {
    location: `/v2/${repository}/blobs/uploads/${id}?${STATE}=${state}`,
    range: uploadRange(size),
    "docker-upload-uuid": id,
    "oci-chunk-min-length": String(call.services.chunkMinLength),
    "content-length": "0",
  };
}
