import {
  type Digest,
  parseDigest,
  parseReference,
  parseRepositoryName,
  type Reference,
  type RepositoryName,
} from "../oci/index.ts";
import type { ErrorCode } from "./errors.ts";

/** What a path under `/v2` names. */
export type Route =
  | { readonly kind: "base" }
  | { readonly kind: "catalog" }
  | { readonly kind: "manifest"; readonly repository: RepositoryName; readonly reference: Reference }
  | { readonly kind: "blob"; readonly repository: RepositoryName; readonly digest: Digest }
  | { readonly kind: "uploads"; readonly repository: RepositoryName }
  | { readonly kind: "upload"; readonly repository: RepositoryName; readonly id: string }
  | { readonly kind: "tags"; readonly repository: RepositoryName }
  | { readonly kind: "referrers"; readonly repository: RepositoryName; readonly digest: Digest };

/** A path that is none of the API's, or whose parts are malformed. */
export interface RouteFailure {
  readonly kind: "failure";
  readonly code: ErrorCode | "not-found";
  readonly detail?: string;
}

/**
 * Parses a path. The repository's name has slashes of its own, so the keyword is looked for from the right: a
 * repository may be called `team/tags/list`.
 * @see OCI distribution-spec, spec.md, section "Endpoints"
 */
export function parseRoute(pathname: string): Route | RouteFailure {
  const path = pathname.slice("/v2".length);
  if (path === "" || path === "/") return { kind: "base" };
  if (path === "/_catalog") return { kind: "catalog" };
  const segments = path.slice(1).split("/");
  const last = segments.pop() ?? "";
  const keyword = segments.pop();
  if (keyword === "manifests") return manifestRoute(segments, last);
  if (keyword === "referrers") return digestRoute("referrers", segments, last);
  if (keyword === "tags" && last === "list") return named(segments, (repository) => ({ kind: "tags", repository }));
  if (keyword === "blobs" && last !== "uploads") return digestRoute("blob", segments, last);
  // `…/blobs/uploads`, `…/blobs/uploads/` and `…/blobs/uploads/<id>`
  if (keyword === "blobs") return named(segments, (repository) => ({ kind: "uploads", repository }));
  if (keyword === "uploads" && segments.pop() === "blobs") {
    return named(segments, (repository) =>
      last === "" ? { kind: "uploads", repository } : { kind: "upload", repository, id: last },
    );
  }
  return { kind: "failure", code: "not-found" };
}

function named(
  segments: readonly string[],
  route: (repository: RepositoryName) => Route | RouteFailure,
): Route | RouteFailure {
  const repository = parseRepositoryName(segments.join("/"));
  return repository === undefined
    ? { kind: "failure", code: "NAME_INVALID", detail: segments.join("/") }
    : route(repository);
}

function manifestRoute(segments: readonly string[], text: string): Route | RouteFailure {
  return named(segments, (repository) => {
    const reference = parseReference(decode(text));
    if (reference.ok) return { kind: "manifest", repository, reference: reference.value };
    const code = reference.error.reason === "digest-invalid" ? "DIGEST_INVALID" : "TAG_INVALID";
    return { kind: "failure", code, detail: text };
  });
}

function digestRoute(kind: "blob" | "referrers", segments: readonly string[], text: string): Route | RouteFailure {
  return named(segments, (repository) => {
    const digest = parseDigest(decode(text));
    return digest === undefined
      ? { kind: "failure", code: "DIGEST_INVALID", detail: text }
      : { kind, repository, digest };
  });
}

/** Some clients escape the colon of a digest. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
