import { describe, expect, it } from "vitest";
import { returnPath } from "./return-path.ts";

describe("returnPath", () => {
  it.each([
    "/",
    "/login",
    "/ui/team-a?tab=tags&x=//y#part",
    "/a//b",
    "/@evil.example",
    "/?next=https://evil.example",
    "/%5Cevil.example",
    "/%2F%2Fevil.example",
  ])("%j is a path here", (path) => {
    expect(returnPath(path)).toBe(path);
  });

  it.each([
    null,
    "",
    "login",
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "/\t/evil.example/",
    "/\n/evil.example/",
    "/a\r\nset-cookie: a=b",
    "\t//evil.example/",
    " //evil.example/",
    "/.//evil.example/",
    "/a/..//evil.example/",
    "/%2e//evil.example/",
    "javascript:alert(1)",
    "data:text/html,x",
    "/ok\\..\\evil",
    "/\u0000",
    "@evil.example",
    ".evil.example",
    `/${"a".repeat(3000)}`,
  ])("%j is not followed", (path) => {
    expect(returnPath(path)).toBe("/");
  });
});
