import { BODY_FAULT_STATUS, type BodyFault, bodyFaultMessage } from "../http/index.ts";
import type { ContentFailure } from "../content/index.ts";

/**
 * The codes of the Distribution API, with the status and the message that clients print.
 * @see OCI distribution-spec, spec.md, section "Error Codes"; the rest is what Docker's registry answers
 */
export const ERRORS = {
  BLOB_UNKNOWN: { status: 404, message: "blob unknown to registry" },
  BLOB_UPLOAD_UNKNOWN: { status: 404, message: "blob upload unknown to registry" },
  DENIED: { status: 403, message: "requested access to the resource is denied" },
  DIGEST_INVALID: { status: 400, message: "provided digest did not match uploaded content" },
  MANIFEST_BLOB_UNKNOWN: { status: 400, message: "blob unknown to registry" },
  MANIFEST_INVALID: { status: 400, message: "manifest invalid" },
  MANIFEST_UNKNOWN: { status: 404, message: "manifest unknown" },
  NAME_INVALID: { status: 400, message: "invalid repository name" },
  NAME_UNKNOWN: { status: 404, message: "repository name not known to registry" },
  PAGINATION_NUMBER_INVALID: { status: 400, message: "invalid number of results requested" },
  RANGE_INVALID: { status: 416, message: "invalid content range" },
  SIZE_INVALID: { status: 400, message: "provided length did not match content length" },
  TAG_INVALID: { status: 400, message: "invalid tag" },
  TOOMANYREQUESTS: { status: 429, message: "too many requests" },
  UNAUTHORIZED: { status: 401, message: "authentication required" },
  UNAVAILABLE: { status: 503, message: "service unavailable" },
  UNKNOWN: { status: 500, message: "unknown error" },
  UNSUPPORTED: { status: 405, message: "the operation is unsupported" },
} as const satisfies Record<string, { readonly status: number; readonly message: string }>;

/** What every answer of the API says of itself. Docker's clients look for it. */
export const API_VERSION = { "docker-distribution-api-version": "registry/2.0" } as const;

export type ErrorCode = keyof typeof ERRORS;

/** What may be said about an error beyond its code. */
export interface ErrorOptions {
  /** Replaces the table's message where the client's user is better served by another. */
  readonly message?: string;
  readonly detail?: unknown;
  readonly headers?: Record<string, string>;
  /** Replaces the table's status where the specification wants another. */
  readonly status?: number;
}

/** An answer in the API's error dialect: `{"errors":[{"code","message","detail"}]}`. */
export function errorResponse(code: ErrorCode, options: ErrorOptions = {}): Response {
  const { status, message } = ERRORS[code];
  const said = cut(options.message ?? message, MAX_MESSAGE);
  const body = { errors: [{ code, message: said, detail: boundedDetail(options.detail) }] };
  return Response.json(body, { status: options.status ?? status, headers: { ...API_VERSION, ...options.headers } });
}

/**
 * Most characters of a message, and of a text in a `detail`; most entries of a list in one. What a client sent comes back
 * in them, and an answer should not be as long as a request may be.
 */
const MAX_MESSAGE = 2000;
const MAX_DETAIL_TEXT = 500;
const MAX_DETAIL_ENTRIES = 100;

function boundedDetail(detail: unknown): unknown {
  if (typeof detail === "string") return cut(detail, MAX_DETAIL_TEXT);
  if (Array.isArray(detail)) return detail.slice(0, MAX_DETAIL_ENTRIES).map(boundedDetail);
  return detail ?? null;
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}

/** Seconds after which a client may try again when its session is busy, or there is no memory for its bytes. */
const BUSY_RETRY_SECONDS = 5;

/** Seconds after which a client may try again when its account has too many uploads open. */
const OPEN_RETRY_SECONDS = 60;

/** What the wire says about a failure of the content kernel. */
export function failureResponse(failure: ContentFailure): Response {
  switch (failure.reason) {
    case "repository-unknown":
      return errorResponse("NAME_UNKNOWN");
    case "manifest-unknown":
      return errorResponse("MANIFEST_UNKNOWN");
    case "manifest-invalid":
      return errorResponse("MANIFEST_INVALID", { message: `manifest invalid: ${failure.message}` });
    case "manifest-too-large":
      return errorResponse("MANIFEST_INVALID", {
        status: 413,
        message: `manifest invalid: larger than ${failure.limit} bytes`,
      });
    case "manifest-references-unknown":
      return errorResponse("MANIFEST_BLOB_UNKNOWN", {
        message: `blob unknown to registry: ${failure.missing.join(", ")}`,
        detail: failure.missing.map((digest) => ({ digest })),
      });
    case "blob-unknown":
      return errorResponse("BLOB_UNKNOWN", { detail: { digest: failure.digest } });
    case "blob-in-use":
      return errorResponse("UNSUPPORTED", {
        message: "blob is in use: delete the manifest that refers to it first",
        detail: { digest: failure.digest, manifest: failure.manifest },
      });
    case "digest-mismatch":
      return errorResponse("DIGEST_INVALID", { detail: { expected: failure.expected, actual: failure.actual } });
    case "size-mismatch":
      return errorResponse("SIZE_INVALID", { detail: failure.message });
    case "upload-unknown":
      return errorResponse("BLOB_UPLOAD_UNKNOWN");
    case "upload-busy":
      return errorResponse("TOOMANYREQUESTS", {
        message: "another request is writing to this upload",
        headers: { "retry-after": String(BUSY_RETRY_SECONDS) },
      });
    case "uploads-crowded":
      return errorResponse("TOOMANYREQUESTS", {
        message: "too many uploads are being received at the moment",
        headers: { "retry-after": String(BUSY_RETRY_SECONDS) },
      });
    case "uploads-too-many":
      return errorResponse("TOOMANYREQUESTS", {
        message: `${failure.limit} uploads of this account are open: close or cancel some`,
        headers: { "retry-after": String(OPEN_RETRY_SECONDS) },
      });
    case "upload-out-of-order":
      return errorResponse("RANGE_INVALID", { detail: `the next byte expected is ${failure.expected}` });
    case "upload-interrupted":
      return errorResponse("SIZE_INVALID", {
        detail: `the body broke off; ${failure.received} bytes of the upload were kept`,
      });
  }
}

/** What the wire says about a manifest that was not read. */
export function bodyFaultResponse(fault: BodyFault): Response {
  if (fault.reason === "too-large") return failureResponse({ reason: "manifest-too-large", limit: fault.limit });
  return errorResponse("SIZE_INVALID", {
    status: BODY_FAULT_STATUS[fault.reason],
    message: bodyFaultMessage(fault),
  });
}
