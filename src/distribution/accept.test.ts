import { describe, expect, it } from "vitest";
import { wantsImageOnly } from "./accept.ts";

const IMAGE = "application/vnd.docker.distribution.manifest.v2+json";
const OCI_IMAGE = "application/vnd.oci.image.manifest.v1+json";
const LIST = "application/vnd.docker.distribution.manifest.list.v2+json";
const INDEX = "application/vnd.oci.image.index.v1+json";

describe("wantsImageOnly", () => {
  it.each<[string | null, boolean]>([
    [IMAGE, true],
    [OCI_IMAGE, true],
    [`${IMAGE}, application/json`, true],
    [`${IMAGE};q=0.5`, true],
    [IMAGE.toUpperCase(), true],
    [null, false],
    ["", false],
    ["application/json", false],
    ["*/*", false],
    [`${IMAGE}, */*`, false],
    [`${IMAGE}, application/*;q=0.1`, false],
    [`${IMAGE},${LIST}`, false],
    [`${INDEX}, ${OCI_IMAGE}`, false],
    [LIST, false],
  ])("%j: %s", (header, expected) => {
    expect(wantsImageOnly(header)).toBe(expected);
  });
});
