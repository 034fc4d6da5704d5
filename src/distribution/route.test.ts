import { describe, expect, it } from "vitest";
import { parseRoute } from "./route.ts";

const DIGEST = `sha256:${"0".repeat(64)}`;
const ESCAPED = DIGEST.replace(":", "%3A");

describe("parseRoute", () => {
  it.each([
    ["/v2", { kind: "base" }],
    ["/v2/", { kind: "base" }],
    ["/v2/_catalog", { kind: "catalog" }],
    ["/v2/a/manifests/latest", { kind: "manifest", repository: "a", reference: { kind: "tag", tag: "latest" } }],
    [
      `/v2/a/b/manifests/${DIGEST}`,
      { kind: "manifest", repository: "a/b", reference: { kind: "digest", digest: DIGEST } },
    ],
    [
      `/v2/a/manifests/${ESCAPED}`,
      { kind: "manifest", repository: "a", reference: { kind: "digest", digest: DIGEST } },
    ],
    [`/v2/a/blobs/${DIGEST}`, { kind: "blob", repository: "a", digest: DIGEST }],
    [`/v2/a/b/c/blobs/${ESCAPED}`, { kind: "blob", repository: "a/b/c", digest: DIGEST }],
    ["/v2/a/blobs/uploads", { kind: "uploads", repository: "a" }],
    ["/v2/a/blobs/uploads/", { kind: "uploads", repository: "a" }],
    ["/v2/a/blobs/uploads/1-2", { kind: "upload", repository: "a", id: "1-2" }],
    ["/v2/a/tags/list", { kind: "tags", repository: "a" }],
    [`/v2/a/referrers/${DIGEST}`, { kind: "referrers", repository: "a", digest: DIGEST }],
  ])("%s", (path, route) => {
    expect(parseRoute(path)).toEqual(route);
  });

  it.each([
    ["/v2/team/tags/list/tags/list", { kind: "tags", repository: "team/tags/list" }],
    ["/v2/manifests/manifests/a", { kind: "manifest", repository: "manifests", reference: { kind: "tag", tag: "a" } }],
    ["/v2/blobs/uploads/blobs/uploads/", { kind: "uploads", repository: "blobs/uploads" }],
    ["/v2/blobs/uploads/blobs/uploads/x", { kind: "upload", repository: "blobs/uploads", id: "x" }],
    ["/v2/tags/tags/list", { kind: "tags", repository: "tags" }],
    ["/v2/_catalog/tags/list", { kind: "failure", code: "NAME_INVALID", detail: "_catalog" }],
  ])("a repository may be called like a part of the API: %s", (path, route) => {
    expect(parseRoute(path)).toEqual(route);
  });

  it.each([
    ["/v2/a", "not-found"],
    ["/v2/a/b", "not-found"],
    ["/v2/_catalog/", "not-found"],
    ["/v2/a/tags", "not-found"],
    ["/v2/a/tags/", "not-found"],
    ["/v2/a/tags/list/", "not-found"],
    ["/v2/a/manifests", "not-found"],
    ["/v2/a/uploads/x", "not-found"],
    ["/v2/tags/list", "NAME_INVALID"],
    ["/v2/manifests/latest", "NAME_INVALID"],
    ["/v2//manifests/latest", "NAME_INVALID"],
    ["/v2/A/manifests/latest", "NAME_INVALID"],
    ["/v2/a//b/manifests/latest", "NAME_INVALID"],
    ["/v2/a%2fb/manifests/latest", "NAME_INVALID"],
    ["/v2/A/blobs/uploads/", "NAME_INVALID"],
    ["/v2/A/blobs/uploads/x", "NAME_INVALID"],
    [`/v2/A/blobs/${DIGEST}`, "NAME_INVALID"],
    ["/v2/a/manifests/", "TAG_INVALID"],
    ["/v2/a/manifests/.x", "TAG_INVALID"],
    ["/v2/a/manifests/%zz", "TAG_INVALID"],
    ["/v2/a/manifests/sha256:0", "DIGEST_INVALID"],
    ["/v2/a/blobs/", "DIGEST_INVALID"],
    ["/v2/a/blobs/latest", "DIGEST_INVALID"],
    ["/v2/a/blobs/sha256:0", "DIGEST_INVALID"],
    ["/v2/a/referrers/latest", "DIGEST_INVALID"],
  ])("%s is none: %s", (path, code) => {
    expect(parseRoute(path)).toMatchObject({ kind: "failure", code });
  });
});
