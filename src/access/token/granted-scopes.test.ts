import { describe, expect, it } from "vitest";
import { formatScopes, parseScopes } from "../../oci/index.ts";
import { intersectScopes } from "./granted-scopes.ts";

describe("intersectScopes", () => {
  const mayPull = (verb: string, name?: string) => verb === "pull" && name === "a";

  it.each([
    ["repository:a:pull,push", "repository:a:pull"],
    ["repository:a:*", "repository:a:pull"],
    ["repository:a:push repository:b:pull", ""],
    ["repository:a:fly", ""],
    ["registry:catalog:*", ""],
    ["thing:a:pull", ""],
    ["", ""],
  ])("of %j leaves %j", (asked, granted) => {
    expect(formatScopes(intersectScopes(parseScopes([asked]), mayPull))).toBe(granted);
  });

  it.each([
    ["repository:a:*", "repository:a:pull,push,delete"],
    ["registry:catalog:*", "registry:catalog:*"],
    ["registry:catalog:pull", ""],
    ["registry:other:*", ""],
  ])("of %j for someone who may do everything leaves %j", (asked, granted) => {
    expect(formatScopes(intersectScopes(parseScopes([asked]), () => true))).toBe(granted);
  });
});
