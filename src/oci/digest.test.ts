import { describe, expect, it } from "vitest";
import { digestAlgorithm, digestHex, digestOf, isDigestAlgorithm, parseDigest } from "./digest.ts";

const A64 = "a".repeat(64);
const B128 = "b".repeat(128);

describe("parseDigest", () => {
  it.each([
    [`sha256:${A64}`, "sha256", A64],
    [`sha512:${B128}`, "sha512", B128],
    [`sha256:${"0123456789abcdef".repeat(4)}`, "sha256", "0123456789abcdef".repeat(4)],
  ] as const)("takes %s apart", (text, algorithm, hex) => {
    const digest = parseDigest(text);
    if (digest === undefined) throw new Error("not parsed");
    expect(digest).toBe(text);
    expect(digestAlgorithm(digest)).toBe(algorithm);
    expect(digestHex(digest)).toBe(hex);
    expect(digestOf(algorithm, hex)).toBe(text);
  });

  it.each([
    "",
    ":",
    "sha256",
    "sha256:",
    `:${A64}`,
    A64,
    `sha256:${A64.slice(1)}`,
    `sha256:${A64}a`,
    `sha256:${A64.toUpperCase()}`,
    `SHA256:${A64}`,
    `sha256:${"g".repeat(64)}`,
    `sha256:${A64}\n`,
    ` sha256:${A64}`,
    `sha512:${A64}`,
    `sha256:${B128}`,
    `sha384:${"a".repeat(96)}`,
    `sha256+b64:${A64}`,
    `toString:${A64}`,
    `__proto__:${A64}`,
    `constructor:${A64}`,
    `sha256:sha256:${A64}`,
  ])("refuses %j", (text) => {
    expect(parseDigest(text)).toBeUndefined();
  });
});

describe("isDigestAlgorithm", () => {
  it.each([
    ["sha256", true],
    ["sha512", true],
    ["sha384", false],
    ["SHA256", false],
    ["", false],
    ["hasOwnProperty", false],
  ])("%s: %s", (text, known) => {
    expect(isDigestAlgorithm(text)).toBe(known);
  });
});
