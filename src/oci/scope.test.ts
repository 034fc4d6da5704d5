import { describe, expect, it } from "vitest";
import { formatScopes, parseScopes, SCOPE_LIMITS } from "./scope.ts";

const repository = (name: string, ...actions: string[]) => ({ type: "repository", name, actions });

describe("parseScopes", () => {
  it.each([
    [["repository:team-a/app:pull,push"], [repository("team-a/app", "pull", "push")]],
    [["repository:a:pull repository:b:push"], [repository("a", "pull"), repository("b", "push")]],
    [
      ["repository:a:pull", "repository:b:push"],
      [repository("a", "pull"), repository("b", "push")],
    ],
    [["repository:a:pull", "repository:a:push,pull"], [repository("a", "pull", "push")]],
    [["repository:host.example:5000/a/b:pull"], [repository("host.example:5000/a/b", "pull")]],
    [["repository(plugin):a:pull"], [repository("a", "pull")]],
    [["registry:catalog:*"], [{ type: "registry", name: "catalog", actions: ["*"] }]],
    [["  repository:a:pull  "], [repository("a", "pull")]],
    [[], []],
    [[""], []],
  ])("reads %j", (texts, scopes) => {
    expect(parseScopes(texts)).toEqual(scopes);
  });

  it.each([
    "repository",
    "repository:a",
    "repository:a:",
    "repository:a:PULL",
    "repository:a:pull,",
    "repository::pull",
    ":a:pull",
    "Repository:a:pull",
    "repository():a:pull",
    "repository:../a:pull",
    "repository:a/../b:pull",
    "repository:a%2fb:pull",
    "repository:a//b:pull",
    "repository:/a:pull",
    "repository:a/:pull",
    "repository:a/B:pull",
    "repository:*:pull",
    "repository:a:1:2/b:pull",
    `repository:${"a".repeat(256)}:pull`,
    "repository:a\u0000b:pull",
  ])("ignores %j", (text) => {
    expect(parseScopes([text, "repository:good:pull"])).toEqual([repository("good", "pull")]);
  });

  it("looks at so many and no more, and soon", () => {
    const many = Array.from({ length: 5000 }, (_, index) => `repository:a${index}:pull`).join(" ");
    expect(parseScopes([many])).toHaveLength(SCOPE_LIMITS.scopes);
    expect(parseScopes([`repository:${"a-".repeat(5000)}!:pull`])).toEqual([]);
    expect(parseScopes([`repository:${"a".repeat(250)}!:pull`])).toEqual([]);
  });
});

it("formats what it parsed", () => {
  const text = "repository:team-a/app:pull,push registry:catalog:*";
  expect(formatScopes(parseScopes([text]))).toBe(text);
});
