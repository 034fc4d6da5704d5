import { describe, expect, it } from "vitest";
import { essence, isImageManifest, isIndex, isNonDistributable, isSchema1, MEDIA_TYPES } from "./media-type.ts";

describe("essence", () => {
  it.each([
    ["application/json", "application/json"],
    ["Application/JSON; charset=utf-8", "application/json"],
    [" text/plain ;q=0.5", "text/plain"],
    ["", ""],
    [";", ""],
  ])("of %j is %j", (text, expected) => {
    expect(essence(text)).toBe(expected);
  });
});

describe("kinds", () => {
  it.each([
    [MEDIA_TYPES.ociManifest, "image"],
    [MEDIA_TYPES.dockerManifest, "image"],
    [MEDIA_TYPES.ociIndex, "index"],
    [MEDIA_TYPES.dockerList, "index"],
    ["application/vnd.docker.distribution.manifest.v1+json", "schema1"],
    ["application/vnd.docker.distribution.manifest.v1+prettyjws", "schema1"],
    ["application/json", "other"],
    ["application/vnd.oci.artifact.manifest.v1+json", "other"],
  ])("%s is %s", (mediaType, kind) => {
    expect([isImageManifest(mediaType), isIndex(mediaType), isSchema1(mediaType)]).toEqual([
      kind === "image",
      kind === "index",
      kind === "schema1",
    ]);
  });

  it.each([
    ["application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", true],
    ["application/vnd.oci.image.layer.nondistributable.v1.tar", true],
    ["application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", true],
    ["application/vnd.oci.image.layer.v1.tar+gzip", false],
    ["application/vnd.docker.image.rootfs.diff.tar.gzip", false],
    ["x-application/vnd.oci.image.layer.nondistributable.v1.tar", false],
  ])("%s need not be held: %s", (mediaType, expected) => {
    expect(isNonDistributable(mediaType)).toBe(expected);
  });
});
