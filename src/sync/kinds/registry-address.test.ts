import { describe, expect, it } from "vitest";
import { addressProblem, registryAddress } from "./registry-address.ts";

describe("the address of a registry", () => {
  it.each([
    ["registry.example.com", false, "https://registry.example.com/"],
    ["registry.example.com:5000/base", true, "http://registry.example.com:5000/base"],
    ["https://registry.example.com", true, "https://registry.example.com/"],
    ["http://[::1]:5000", true, "http://[::1]:5000/"],
  ])("%s (insecure: %s) is %s", (text, insecure, url) => {
    expect(registryAddress(text, insecure)?.href).toBe(url);
    expect(addressProblem(text, insecure)).toBeUndefined();
  });

  it.each([
    "",
    "ftp://registry.example.com",
    "https://user:secret@registry.example.com",
    "user@registry.example.com",
    "https://registry.example.com?x=1",
    "https://registry.example.com#x",
    "registry.example.com\\@evil.example.com",
    "https:// registry.example.com",
    "file:///etc/passwd",
    "http://registry.example.com",
  ])("is not %j", (text) => {
    expect(addressProblem(text, false)).toBeTypeOf("string");
  });
});
