import { describe, expect, it } from "vitest";
import { namespaceOf, parseRepositoryName } from "./repository-name.ts";

describe("parseRepositoryName", () => {
  it.each([
    "a",
    "0",
    "nginx",
    "team/app",
    "a/b/c/d/e",
    "a.b",
    "a_b",
    "a__b",
    "a-b",
    "a---b",
    "team-1/app_2.x",
    "blobs/uploads",
    "manifests",
    "tags/list",
    "a".repeat(255),
  ])("takes %j", (text) => {
    expect(parseRepositoryName(text)).toBe(text);
  });

  it.each([
    "",
    "/",
    "/a",
    "a/",
    "a//b",
    "A",
    "team/App",
    ".a",
    "a.",
    "_a",
    "a_",
    "-a",
    "a-",
    "a..b",
    "a___b",
    "a._b",
    "a b",
    "a:b",
    "a@b",
    "a/../b",
    "a/.",
    "a%2fb",
    "ä",
    "a\n",
    "a".repeat(256),
    `${"a/".repeat(127)}aaa`,
  ])("refuses %j", (text) => {
    expect(parseRepositoryName(text)).toBeUndefined();
  });

  it("answers at once, whatever the text", () => {
    // A name of many ambiguous separators makes a careless expression take exponential time.
    const started = performance.now();
    for (const text of [`${"a-".repeat(127)}!`, `${"a".repeat(254)}!`, `${"a__".repeat(84)}!`]) {
      expect(parseRepositoryName(text)).toBeUndefined();
    }
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

describe("namespaceOf", () => {
  it.each([
    ["nginx", "default"],
    ["team/app", "team"],
    ["team/app/web", "team"],
    ["default/app", "default"],
  ])("of %s is %s", (text, namespace) => {
    const name = parseRepositoryName(text);
    if (name === undefined) throw new Error("not a name");
    expect(namespaceOf(name)).toBe(namespace);
  });
});
