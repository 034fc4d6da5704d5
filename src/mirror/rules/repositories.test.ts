import { describe, expect, it } from "vitest";
import { repositoryMatcher } from "./repositories.ts";

describe("repositoryMatcher", () => {
  it.each([
    ["one repository", { repository: "library/nginx" }, ["library/nginx"], undefined, ["library/nginx"], ["nginx"]],
    ["a project", { project: "library" }, [], "library", ["library/nginx", "library/a/b"], ["library", "other/nginx"]],
    [
      "names of a project",
      { project: "library", repositories: ["nginx", "redis", "nginx"] },
      ["library/nginx", "library/redis"],
      undefined,
      ["library/nginx"],
      ["nginx", "library/redis-stack"],
    ],
    [
      "names and globs of a project",
      { project: "library", repositories: ["nginx", "redis*"] },
      ["library/nginx"],
      "library",
      ["library/nginx", "library/redis-stack"],
      ["library/redis/x", "redis"],
    ],
    [
      "whole names and globs",
      { repositories: ["a/b", "team/x/*", "team/y/**"] },
      ["a/b"],
      "team",
      ["a/b", "team/x/1", "team/y/1/2"],
      ["team/x", "team/x/1/2", "team/z"],
    ],
    ["globs without anything in common", { repositories: ["a/*", "b/*"] }, [], undefined, ["a/1", "b/1"], ["c/1"]],
    ["everything", { repositories: ["**"] }, [], undefined, ["a", "a/b/c"], []],
    ["a glob in the middle", { repositories: ["a/*/b", "a/x/c*"] }, [], "a", ["a/q/b", "a/x/c1"], ["a/b"]],
  ])("reads %s", (_, rule, exact, project, matching, others) => {
    const matcher = repositoryMatcher({ registry: "hub", ...rule });
    expect(matcher.exact).toEqual(exact);
    expect(matcher.project).toBe(project);
    expect(matcher.needsCatalog).toBe(exact.length === 0 || JSON.stringify(rule).includes("*"));
    for (const name of matching) expect([name, matcher.matches(name)]).toEqual([name, true]);
    for (const name of others) expect([name, matcher.matches(name)]).toEqual([name, false]);
  });
});
