import { describe, expect, it } from "vitest";
import { platformRuleSchema } from "./mirror-rules.ts";
import { architecturesOfPlatforms, isSelected, matchesPlatform, platformsOfArchitectures } from "./platforms.ts";

const linux = (architecture: string, variant?: string) => ({
  os: "linux",
  architecture,
  ...(variant === undefined ? {} : { variant }),
});
const windows = (version?: string) => ({
  os: "windows",
  architecture: "amd64",
  ...(version === undefined ? {} : { "os.version": version }),
});

describe("isSelected", () => {
  it.each([
    [linux("amd64"), linux("amd64"), true],
    [linux("amd64"), linux("arm64"), false],
    [linux("amd64"), windows(), false],
    [linux("arm64", "v8"), linux("arm64"), true],
    [linux("arm64"), linux("arm64", "v8"), true],
    [linux("arm64", "8"), linux("arm64", "v8"), true],
    [linux("arm64", "v9"), linux("arm64"), false],
    [linux("amd64", "v1"), linux("amd64"), true],
    [linux("amd64", "v3"), linux("amd64"), false],
    [linux("amd64"), linux("amd64", "v3"), true],
    [linux("arm", "v7"), linux("arm", "v7"), true],
    [linux("arm", "v7"), linux("arm", "v6"), false],
    [linux("arm", "v7"), linux("arm"), false],
    [linux("arm"), linux("arm", "v6"), true],
    [linux("x86_64"), linux("amd64"), true],
    [linux("aarch64"), linux("arm64", "v8"), true],
    [{ ...windows(), osVersion: "10.0.17763" }, windows("10.0.17763.6293"), true],
    [{ ...windows(), osVersion: "10.0.17763" }, windows("10.0.17763"), true],
    [{ ...windows(), osVersion: "10.0.1776" }, windows("10.0.17763.1"), false],
    [{ ...windows(), osVersion: "10.0.20348" }, windows("10.0.17763.1"), false],
    [{ ...windows(), osVersion: "10.0.20348" }, windows(), false],
    [windows(), windows("10.0.17763.1"), true],
  ])("%j means %j: %s", (selector, platform, expected) => {
    expect(isSelected(platform, selector)).toBe(expected);
  });
});

it("matchesPlatform is about any selector, and about none in mode all", () => {
  const rule = platformRuleSchema.parse({
    mode: "sparse",
    select: [{ architecture: "amd64" }, { architecture: "arm" }],
  });
  expect(matchesPlatform(linux("arm", "v7"), rule)).toBe(true);
  expect(matchesPlatform(linux("s390x"), rule)).toBe(false);
  expect(matchesPlatform(linux("s390x"), platformRuleSchema.parse({}))).toBe(true);
});

describe("architectures of the old shape", () => {
  it("become platforms and back", () => {
    const rule = platformsOfArchitectures(["amd64", "arm/v7", "linux/arm64", "windows/amd64", " 386 ", "linux/arm/v6"]);
    expect(rule).toEqual({
      ok: true,
      value: {
        mode: "rewrite",
        select: [
          linux("amd64"),
          linux("arm", "v7"),
          linux("arm64"),
          { os: "windows", architecture: "amd64" },
          linux("386"),
          linux("arm", "v6"),
        ],
      },
    });
    expect(rule.ok && architecturesOfPlatforms(rule.value)).toEqual([
      "amd64",
      "arm/v7",
      "arm64",
      "windows/amd64",
      "386",
      "arm/v6",
    ]);
  });

  it("are all platforms if there are none", () => {
    expect(platformsOfArchitectures([])).toEqual({ ok: true, value: { mode: "all", select: [] } });
  });

  it.each(["", "a/b/c", "linux", "linux/a/b/c", "a//b", "amd 64", "/amd64"])("may not be %j", (text) => {
    expect(platformsOfArchitectures([text])).toMatchObject({
      ok: false,
      error: expect.stringContaining("architecture"),
    });
  });
});
