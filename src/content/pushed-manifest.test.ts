import { expect, it } from "vitest";
import { MEDIA_TYPES } from "../oci/index.ts";
import { readPushedManifest } from "./pushed-manifest.ts";

const descriptor = (letter: string, mediaType: string) => ({
  mediaType,
  digest: `sha256:${letter.repeat(64)}`,
  size: 2,
});
const CONFIG = descriptor("a", "application/vnd.oci.image.config.v1+json");
const LAYER = descriptor("b", "application/vnd.oci.image.layer.v1.tar+gzip");
const FOREIGN = descriptor("c", "application/vnd.oci.image.layer.nondistributable.v1.tar");
const CHILD = descriptor("d", MEDIA_TYPES.ociManifest);

function read(body: unknown, sparseIndexes = false) {
  const bytes = new TextEncoder().encode(JSON.stringify({ schemaVersion: 2, ...(body as object) }));
  const pushed = readPushedManifest(bytes, undefined, sparseIndexes);
  return pushed.ok ? pushed.value.references : pushed.error;
}

it("refers to its config and layers, but needs none that registries need not hold", () => {
  expect(read({ config: CONFIG, layers: [FOREIGN, LAYER] })).toEqual([
    { kind: "config", digest: CONFIG.digest, required: true },
    { kind: "layer", digest: FOREIGN.digest, required: false },
    { kind: "layer", digest: LAYER.digest, required: true },
  ]);
});

it.each([
  [false, true],
  [true, false],
])("needs the children of an index, unless indexes may be sparse (%s)", (sparseIndexes, required) => {
  expect(read({ manifests: [CHILD] }, sparseIndexes)).toEqual([{ kind: "manifest", digest: CHILD.digest, required }]);
});

it("names at most 10,000 descriptors", () => {
  expect(read({ manifests: Array.from({ length: 10_001 }, () => CHILD) })).toMatch(/more than 10000/);
});
