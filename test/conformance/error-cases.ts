import { blob, content, type Content, descriptor, imageIndex, imageManifest, MEDIA } from "./data.ts";
import type { ExpectedError } from "./expectations.ts";
import { type Answer, body, header, query, type Repository, type RequestPart } from "./registry-client.ts";
import { openUpload, pushBlob, pushImage, putManifest } from "./steps.ts";

/** A request that must fail, leaving everything as it was. */
export interface ErrorCase {
  /** What is wrong, and the clause that says so. */
  readonly title: string;
  readonly expected: ExpectedError;
  /** Makes what the request needs, and resolves to the request. */
  readonly prepare: (repository: Repository) => Promise<() => Promise<Answer>>;
}

/** Codes with their status and message. @see spec.md, "Error Codes"; 416 and pagination are Docker's */
const CODES = {
  BLOB_UNKNOWN: [404, "blob unknown to registry"],
  BLOB_UPLOAD_UNKNOWN: [404, "blob upload unknown to registry"],
  DIGEST_INVALID: [400, /^(provided digest did not match uploaded content$|digest is malformed|the digest parameter)/],
  MANIFEST_BLOB_UNKNOWN: [400, /^blob unknown to registry/],
  MANIFEST_UNKNOWN: [404, "manifest unknown"],
  NAME_INVALID: [400, "invalid repository name"],
  NAME_UNKNOWN: [404, "repository name not known to registry"],
  PAGINATION_NUMBER_INVALID: [400, "invalid number of results requested"],
  RANGE_INVALID: [416, /^(invalid content range|requested range not satisfiable)$/],
  SIZE_INVALID: [400, "provided length did not match content length"],
  TAG_INVALID: [400, "invalid tag"],
  UNSUPPORTED: [405, /not allowed|in use/],
} as const satisfies Record<string, readonly [number, string | RegExp]>;

const MALFORMED_DIGESTS = [
  "sha256:baddigeststring",
  "sha256:",
  "md5:d41d8cd98f00b204e9800998ecf8427e",
  `sha256:${"A".repeat(64)}`,
];
const UPLOAD = "blobs/uploads/01900000-0000-7000-8000-000000000000?_state=sha256.AAAA";
const BAD_TAGS = ["-bad", ".bad", "bad!tag", "bad%20tag", "t".repeat(129)];

/** Every code but those of manifests that are invalid, of access, and of failures. */
export const ERROR_CASES: readonly ErrorCase[] = [
  ...["Upper/case", "-lead", "trail-", "a//b", "a..b", "dot/./.hidden", "n".repeat(256)].flatMap((name) => [
    at("NAME_INVALID", "name of a repository (end-8)", "GET", `/v2/${name}/tags/list`),
    at("NAME_INVALID", "name of a repository (end-4a)", "POST", `/v2/${name}/blobs/uploads/`),
    at("NAME_INVALID", "name of a repository (end-7a)", "PUT", `/v2/${name}/manifests/latest`, body(new Uint8Array(9))),
  ]),
  at("NAME_UNKNOWN", "repository (end-8a)", "GET", "tags/list"),
  at("PAGINATION_NUMBER_INVALID", "page size (end-8b)", "GET", "tags/list?n=-1"),
  ...["GET", "DELETE"].flatMap((method) => [
    at("MANIFEST_UNKNOWN", "tag (end-3, end-9)", method, "manifests/latest"),
    at("MANIFEST_UNKNOWN", "digest (end-3, end-9)", method, `manifests/${blob().digest}`),
    at("BLOB_UNKNOWN", "digest (end-2, end-10)", method, `blobs/${blob().digest}`),
    ...MALFORMED_DIGESTS.flatMap((digest) => [
      at("DIGEST_INVALID", "malformed digest (end-2, end-10)", method, `blobs/${digest}`),
      at("DIGEST_INVALID", "malformed digest (suite: invalid-digest-format)", method, `manifests/${digest}`),
    ]),
    at("DIGEST_INVALID", "no digest (end-2, end-10)", method, "blobs/latest"),
  ]),
  ...["GET", "PATCH", "PUT", "DELETE"].map((method) =>
    at(
      "BLOB_UPLOAD_UNKNOWN",
      "upload that nobody opened (end-5, 6, 13, 14)",
      method,
      UPLOAD,
      query("digest", blob().digest),
    ),
  ),
  ...MALFORMED_DIGESTS.map((digest) =>
    at("DIGEST_INVALID", "malformed digest (end-4b)", "POST", `blobs/uploads/?digest=${digest}`, body(blob().bytes)),
  ),
  ...BAD_TAGS.flatMap((tag) => [
    at("MANIFEST_UNKNOWN", "text that no tag can be (end-3)", "GET", `manifests/${tag}`),
    at("TAG_INVALID", "tag (end-7a)", "PUT", `manifests/${tag}`, body(new Uint8Array(9), MEDIA.manifest)),
  ]),
  ...[
    ["POST", "/v2/", "GET, HEAD"],
    ["PUT", "/v2/_catalog", "GET, HEAD"],
    ["DELETE", "tags/list", "GET, HEAD"],
    ["POST", "manifests/latest", "GET, HEAD, PUT, DELETE"],
    ["PUT", `blobs/${blob().digest}`, "GET, HEAD, DELETE"],
    ["GET", "blobs/uploads/", "POST"],
    ["POST", UPLOAD, "GET, HEAD, PATCH, PUT, DELETE"],
    ["DELETE", `referrers/${blob().digest}`, "GET, HEAD"],
  ].map(([method = "", path = "", allow = ""]) =>
    at({ ...named("UNSUPPORTED"), headers: { allow } }, "method, RFC 9110 section 15.5.6", method, path),
  ),
  at({ status: 404, code: "UNSUPPORTED" }, "path that is none of the API's", "GET", "unknown/endpoint"),
  later("DIGEST_INVALID", "manifest pushed by another digest than its own (end-7)", async (repository) => {
    const { manifest } = await pushImage(repository, "latest");
    return async () => putManifest(repository, blob().digest, manifest);
  }),
  later(
    "DIGEST_INVALID",
    "manifest pushed by a malformed digest (suite: invalid-digest-format)",
    async (repository) => {
      const { manifest } = await pushImage(repository, "latest");
      return async () => putManifest(repository, "sha256:baddigeststring", manifest);
    },
  ),
  later("DIGEST_INVALID", "closing PUT without a digest (end-6)", async (repository) => {
    const upload = await openUpload(repository);
    return async () => repository.send("PUT", upload, body(blob().bytes));
  }),
  later("DIGEST_INVALID", "bytes of another digest in one PUT (end-6)", async (repository) => {
    const upload = await openUpload(repository);
    return async () => repository.send("PUT", upload, query("digest", blob().digest), body(blob().bytes));
  }),
  later("MANIFEST_BLOB_UNKNOWN", "image without its layer (end-7)", async (repository) => {
    const config = await pushed(repository);
    return async () => putManifest(repository, "latest", imageManifest(descriptor(config), [descriptor(blob())]));
  }),
  later("MANIFEST_BLOB_UNKNOWN", "image without its config (end-7)", async (repository) => {
    const layer = await pushed(repository);
    return async () => putManifest(repository, "latest", imageManifest(descriptor(blob()), [descriptor(layer)]));
  }),
  later("MANIFEST_BLOB_UNKNOWN", "index with a child that is not there (end-7)", async (repository) => {
    const { manifest } = await pushImage(repository, "child");
    const absent = { ...descriptor(blob()), mediaType: MEDIA.manifest };
    return async () => putManifest(repository, "latest", imageIndex([descriptor(manifest), absent]));
  }),
  later("MANIFEST_BLOB_UNKNOWN", "index with a child that another repository holds (end-7)", async (repository) => {
    const { manifest } = await pushImage(repository.registry.repository("other"), "child");
    return async () => putManifest(repository, "latest", imageIndex([descriptor(manifest)]));
  }),
  ...["PATCH", "PUT"].flatMap((method) => [
    later("SIZE_INVALID", `${method} whose Content-Range names another length (end-5, end-6)`, async (repository) => {
      const upload = await openUpload(repository);
      const parts = [query("digest", blob().digest), header("content-range", "0-9"), body(blob(20).bytes)];
      return async () => repository.send(method, upload, ...parts);
    }),
    later("RANGE_INVALID", `${method} that begins past the end (end-5, end-6)`, async (repository) => {
      const upload = await openUpload(repository);
      const parts = [query("digest", blob().digest), header("content-range", "5-24"), body(blob(20).bytes)];
      return async () => repository.send(method, upload, ...parts);
    }),
    later("RANGE_INVALID", `${method} whose Content-Range is none (end-5, end-6)`, async (repository) => {
      const upload = await openUpload(repository);
      const parts = [query("digest", blob().digest), header("content-range", "first"), body(blob(20).bytes)];
      return async () => repository.send(method, upload, ...parts);
    }),
  ]),
  later("RANGE_INVALID", "GET of a range past the end (end-2)", async (repository) => {
    const { digest } = await pushed(repository);
    return async () => repository.send("GET", `blobs/${digest}`, header("range", "bytes=9999-"));
  }),
  later("UNSUPPORTED", "deleting a blob that a manifest names (end-10)", async (repository) => {
    const { blobs } = await pushImage(repository, "latest");
    return async () => repository.send("DELETE", `blobs/${blobs[0].digest}`);
  }),
];

function named(code: keyof typeof CODES): ExpectedError {
  const [status, message] = CODES[code];
  return { status, code, message };
}

/** A request that needs nothing to be there. */
function at(
  expected: keyof typeof CODES | ExpectedError,
  title: string,
  method: string,
  path: string,
  ...parts: RequestPart[]
): ErrorCase {
  return {
    title: `${title}: ${method} ${path.length > 80 ? `${path.slice(0, 80)}…` : path}`,
    expected: typeof expected === "string" ? named(expected) : expected,
    prepare: async (repository) => async () => repository.send(method, path, ...parts),
  };
}

function later(code: keyof typeof CODES, title: string, prepare: ErrorCase["prepare"]): ErrorCase {
  return { title, expected: named(code), prepare };
}

async function pushed(repository: Repository): Promise<Content> {
  const held = content(blob().bytes, MEDIA.config);
  await pushBlob(repository, held);
  return held;
}
