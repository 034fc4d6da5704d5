import { describe, expect, it } from "vitest";
import { addressBelow, isBelow, parseBase } from "./addresses.ts";

describe("a base address", () => {
  it.each(["https://example.com", "http://example.com:8080/a/b/"])("may be %s", (text) => {
    expect(parseBase(text)?.href).toBe(new URL(text).href);
  });

  it.each([
    "",
    "example.com",
    "ftp://example.com",
    "https://u:p@example.com",
    "https://example.com/?a=b",
    "https://example.com/#x",
  ])("may not be %j", (text) => {
    expect(parseBase(text)).toBeUndefined();
  });
});

describe("an address below it", () => {
  it.each([
    ["https://example.com", "v2/a/blobs/sha256:abc", "https://example.com/v2/a/blobs/sha256:abc"],
    ["https://example.com/base/", "x", "https://example.com/base/x"],
    ["https://example.com/base", "", "https://example.com/base/"],
    ["https://example.com", "a b/ü?#%", "https://example.com/a%20b/%C3%BC%3F%23%25"],
    ["https://example.com/base", "/other.example/x", "https://example.com/base//other.example/x"],
    ["https://example.com/base", "http://other.example/", "https://example.com/base/http://other.example/"],
    ["https://example.com/base", "a..b/...", "https://example.com/base/a..b/..."],
  ])("%s and %j", (base, path, address) => {
    expect(addressBelow(new URL(base), path, "")?.href).toBe(address);
  });

  it("has the query, and its own host", () => {
    expect(addressBelow(new URL("https://example.com/b"), "x", "?a=1&b=@other")?.href).toBe(
      "https://example.com/b/x?a=1&b=@other",
    );
  });

  it.each([
    "..",
    "../x",
    "a/../../x",
    "./x",
    "a/%2e%2e/x",
    "a/%2E%2e",
    "..%2f..",
    "a\\..\\x",
    "..\\x",
    "a/%5c..",
    "a\0",
  ])("is not %j", (path) => {
    expect(addressBelow(new URL("https://example.com/base"), path, "")).toBeUndefined();
  });
});

it.each([
  ["https://example.com/base", true],
  ["https://example.com/base/x", true],
  ["https://example.com/based", false],
  ["https://example.com/", false],
  ["http://example.com/base/x", false],
  ["https://example.com:444/base/x", false],
  ["https://example.com/base/..%2fadmin", false],
])("%s is below: %s", (address, below) => {
  expect(isBelow(new URL("https://example.com/base"), new URL(address))).toBe(below);
});
