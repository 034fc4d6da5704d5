import { describe, expect, it } from "vitest";
import { parseReference, referenceText } from "./reference.ts";

const DIGEST = `sha256:${"0".repeat(64)}`;

describe("parseReference", () => {
  it.each([
    ["latest", { kind: "tag", tag: "latest" }],
    ["sha256", { kind: "tag", tag: "sha256" }],
    ["0".repeat(64), { kind: "tag", tag: "0".repeat(64) }],
    [DIGEST, { kind: "digest", digest: DIGEST }],
    ["", "tag-invalid"],
    [".hidden", "tag-invalid"],
    ["a/b", "tag-invalid"],
    ["sha256:", "digest-invalid"],
    ["sha256:abc", "digest-invalid"],
    ["latest:1", "digest-invalid"],
    [`md5:${"0".repeat(32)}`, "digest-invalid"],
  ])("%j", (text, expected) => {
    const reference = parseReference(text);
    expect(reference.ok ? reference.value : reference.error.reason).toEqual(expected);
  });

  it.each(["v1.2", DIGEST])("gives %s back as text", (text) => {
    const reference = parseReference(text);
    expect(reference.ok && referenceText(reference.value)).toBe(text);
  });
});
