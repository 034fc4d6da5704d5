import { describe, expect, it } from "vitest";
import { parseChallenges } from "./challenge.ts";
import { mergeScopes } from "./scopes.ts";

const plain = (header: string | null) =>
  parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

describe("challenges", () => {
  it.each<[string | null, unknown]>([
    [null, []],
    ["", []],
    ["Basic", [["basic", {}]]],
    [`Basic realm="a"`, [["basic", { realm: "a" }]]],
    [
      `Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"`,
      [
        [
          "bearer",
          { realm: "https://auth.docker.io/token", service: "registry.docker.io", scope: "repository:a/b:pull,push" },
        ],
      ],
    ],
    [
      `Basic realm="a, Bearer realm=b", Bearer realm=https://t/x , scope="a:b:c,d"`,
      [
        ["basic", { realm: "a, Bearer realm=b" }],
        ["bearer", { realm: "https://t/x", scope: "a:b:c,d" }],
      ],
    ],
    [
      `Negotiate abc==, BEARER Realm = "x"`,
      [
        ["negotiate", {}],
        ["bearer", { realm: "x" }],
      ],
    ],
    [
      `Negotiate, Basic realm="x"`,
      [
        ["negotiate", {}],
        ["basic", { realm: "x" }],
      ],
    ],
    [String.raw`Basic realm="say \"hi\" \\"`, [["basic", { realm: String.raw`say "hi" ` + "\\" }]]],
    [`Bearer realm="a",realm="b"`, [["bearer", { realm: "a" }]]],
    [`Bearer realm="never closed, x=y`, [["bearer", { realm: "never closed, x=y" }]]],
    [`;;"" Basic realm=`, [["basic", {}]]],
  ])("%j", (header, expected) => {
    expect(plain(header)).toEqual(expected);
  });

  it("are read in little time, whatever they are", () => {
    const started = performance.now();
    for (const text of ["a=".repeat(1e6), `Bearer ${"a".repeat(1e6)}`, `"\\`.repeat(1e6), ", ".repeat(1e6)])
      parseChallenges(text);
    expect(performance.now() - started).toBeLessThan(30_000);
  });
});

it.each<[string[], string | undefined, string[]]>([
  [["repository:a:pull"], undefined, ["repository:a:pull"]],
  [["repository:a:pull,push"], "repository:a:pull", ["repository:a:pull,push"]],
  [["repository:a:pull"], "repository:b:pull repository:a:push", ["repository:b:pull", "repository:a:push,pull"]],
  [["registry:catalog:*"], "", ["registry:catalog:*"]],
  [[], "nonsense", []],
])("scopes %j with %j demanded", (ours, demanded, expected) => {
  expect(mergeScopes(ours, demanded)).toEqual(expected);
});
