import { describe, expect, it } from "vitest";
import { tagRuleSchema } from "./mirror-rules.ts";
import { compareTagVersions, isDigestTag, narrowTags, needsCreated, newestTags, selectTags } from "./tags.ts";
import type { z } from "zod";

const rule = (input: z.input<typeof tagRuleSchema>) => tagRuleSchema.parse(input);
const HOUR = 3_600_000;
const DIGEST_TAG = `sha256-${"a".repeat(64)}`;

describe("selectTags", () => {
  const tags = ["latest", "v1.0.0", "v1.1.0", "v1.1.0-rc.1", "v2.0.0", "1.5.0", "dev"];

  it.each([
    ["everything without a rule", {}, tags],
    ["what one pattern includes", { include: [String.raw`^v1\.`] }, ["v1.0.0", "v1.1.0", "v1.1.0-rc.1"]],
    ["what any pattern includes", { include: ["^dev$", "^latest$"] }, ["latest", "dev"]],
    ["less what one excludes", { include: ["^v"], exclude: ["-rc"] }, ["v1.0.0", "v1.1.0", "v2.0.0"]],
    ["nothing that is both included and excluded", { include: ["dev"], exclude: ["dev"] }, []],
    ["whole tags if anchored", { include: ["v1", "de|lat", "dev"], anchored: true }, ["dev"]],
    ["versions within a range", { semver: ">=1.1 <2" }, ["v1.1.0", "1.5.0"]],
    ["what patterns and range both select", { include: ["^v"], semver: "*" }, ["v1.0.0", "v1.1.0", "v2.0.0"]],
  ])("selects %s", (_, input, expected) => {
    expect(selectTags(tags, rule(input))).toEqual(expected);
  });

  it("leaves tags that belong to an image to it", () => {
    expect(selectTags(["v1", DIGEST_TAG, `${DIGEST_TAG}.sig`], rule({ include: [".*"] }))).toEqual(["v1"]);
  });
});

describe("isDigestTag", () => {
  it.each([DIGEST_TAG, `${DIGEST_TAG}.sig`, `${DIGEST_TAG}.att`, `${DIGEST_TAG}.sbom`, `sha512-${"0".repeat(128)}`])(
    "knows %s",
    (tag) => {
      expect(isDigestTag(tag)).toBe(true);
    },
  );

  it.each(["sha256-abc", `x${DIGEST_TAG}`, `${DIGEST_TAG}b`, "sha-1234567", "latest"])("leaves %s", (tag) => {
    expect(isDigestTag(tag)).toBe(false);
  });
});

describe("compareTagVersions", () => {
  const ascending = [
    "alpine",
    "edge",
    "latest",
    "nightly9",
    "nightly10",
    "0.9",
    "v1",
    "1.2.0-alpha",
    "1.2.0-rc.1",
    "1.2.0-rc9",
    "1.2.0-rc10",
    "1.2",
    "v1.2.0",
    "1.9",
    "1.10.0-alpine",
    "1.10.0",
    "v1.10.0.1",
    "2.0.0",
    "20240105",
    "99999999999999999999999",
  ];

  it("is a total order", () => {
    for (const [i, a] of ascending.entries()) {
      for (const [j, b] of ascending.entries()) {
        expect([a, b, Math.sign(compareTagVersions(a, b))]).toEqual([a, b, Math.sign(i - j)]);
      }
    }
  });
});

describe("newestTags", () => {
  const tags = [
    { tag: "1.9.0", created: 300 },
    { tag: "1.10.0", created: 100 },
    { tag: "latest", created: 300 },
    { tag: "2.0.0-rc.1", created: 200 },
    { tag: "1.2.0" },
  ];

  it.each([
    ["version", ["2.0.0-rc.1", "1.10.0", "1.9.0"]],
    ["created", ["1.9.0", "latest", "2.0.0-rc.1"]],
    ["name", ["latest", "2.0.0-rc.1", "1.9.0"]],
  ] as const)("by %s", (by, expected) => {
    expect(newestTags(tags, { count: 3, by })).toEqual(expected);
    expect(newestTags(tags.toReversed(), { count: 3, by })).toEqual(expected);
  });

  it("puts what has no known time last", () => {
    expect(newestTags(tags, { count: 9, by: "created" }).at(-1)).toBe("1.2.0");
  });
});

describe("narrowTags", () => {
  const now = 100 * HOUR;
  const tags = [
    { tag: "1.0.0", created: now - 50 * HOUR },
    { tag: "1.1.0", created: now - 24 * HOUR },
    { tag: "1.2.0", created: now - 24 * HOUR + 1 },
    { tag: "1.3.0" },
  ];

  it("keeps all in their order without a rule", () => {
    expect(narrowTags(tags, rule({}), now)).toEqual(["1.0.0", "1.1.0", "1.2.0", "1.3.0"]);
  });

  it("leaves out what is too young, or of unknown age", () => {
    expect(narrowTags(tags, rule({ minimumAge: "24h" }), now)).toEqual(["1.0.0", "1.1.0"]);
  });

  it("counts the newest of what is old enough", () => {
    expect(narrowTags(tags, rule({ minimumAge: "24h", newest: { count: 1 } }), now)).toEqual(["1.1.0"]);
  });
});

it.each([
  [{}, false],
  [{ newest: { count: 1 } }, false],
  [{ newest: { count: 1, by: "created" as const } }, true],
  [{ minimumAge: "1d" }, true],
])("needsCreated of %j is %s", (input, expected) => {
  expect(needsCreated(rule(input))).toBe(expected);
});
