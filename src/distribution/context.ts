import type { ReportFailure } from "../http/index.ts";
import type { Audit, Gate, Identity } from "../access/index.ts";
import type { BlobIndex, LinkedBlob, Manifests, Names, Sought, StoredManifest, Uploads } from "../content/index.ts";
import { type ErrorOptions, errorResponse } from "./errors.ts";
import type { Route } from "./route.ts";
import { ROUTES } from "./routes.ts";

/** What the Distribution API serves from. */
export interface DistributionServices {
  readonly gate: Gate;
  readonly audit: Pick<Audit, "record">;
  /** Whether pulls are written to the audit as well. */
  readonly auditReads: boolean;
  readonly blobs: BlobIndex;
  readonly manifests: Manifests;
  readonly names: Names;
  readonly uploads: Uploads;
  readonly reportFailure: ReportFailure;
  readonly readOnly: boolean;
  /** Advice to clients that push in chunks, in bytes. */
  readonly chunkMinLength: number;
  /** How many uploads with bytes an account may have open. */
  readonly openUploads: number;
}

/** One authenticated request. */
export interface Call {
  readonly services: DistributionServices;
  readonly identity: Identity;
  readonly request: Request;
  readonly url: URL;
  readonly route: Route;
  /** The client asked for an answer from the database, not from memory. */
  readonly fresh: boolean;
  /** What a pull names, if it was looked up with the rights of the caller. */
  readonly sought: { readonly manifest?: Sought<StoredManifest>; readonly blob?: Sought<LinkedBlob> } | undefined;
}

/**
 * How long a client may keep content. What a digest names never changes; what a tag names may. Shared caches keep
 * neither, since their next client may not have it, and nobody on the way may compress it or change it otherwise: its
 * bytes are those of its digest (RFC 9111 section 5.2.2).
 */
export const CONTENT_CACHE_CONTROL = {
  immutable: "private, max-age=31536000, immutable, no-transform",
  named: "private, no-cache, no-transform",
} as const;

/** The refusal of a method that a path does not have. */
export function methodNotAllowed({ route }: Call): Response {
  const allow = ROUTES[route.kind].methods.join(", ");
  const options: ErrorOptions = { headers: { allow }, message: "the method is not allowed here" };
  return errorResponse("UNSUPPORTED", options);
}

/**
 * Whether the client already has the content with this entity tag (RFC 9110 section 13.1.2). One without its quotation
 * marks is taken for the same, as Docker's registry does: some clients send the digest alone.
 */
export function isUnchanged(request: Request, etag: string): boolean {
  const header = request.headers.get("if-none-match");
  if (header === null) return false;
  return header.split(",").some((candidate) => {
    const text = candidate.trim();
    return text === "*" || text === etag || text === `W/${etag}` || `"${text}"` === etag;
  });
}
