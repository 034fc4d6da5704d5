import { describe, expect, it } from "vitest";
import { userName } from "./oidc-login.ts";

describe("userName", () => {
  it.each([
    ["alice", "alice"],
    ["Alice", "alice"],
    ["Alice@example.com", "alice-example.com"],
    ["a_b c", "a-b-c"],
    ["..alice--", "alice"],
    ["a..b", "a.b"],
    ["a.-.b", "a.b"],
    ["system:masters", "system-masters"],
    ["system:serviceaccount:a:b", "system-serviceaccount-a-b"],
    ["../../etc", "etc"],
    ["jürgen", "j-rgen"],
    ["💥", undefined],
    ["", undefined],
    ["a".repeat(64), undefined],
  ])("%j is %j", (claimed, name) => {
    expect(userName(claimed)).toBe(name);
  });
});
