import { describe, expect, it } from "vitest";
import { parseSyncYaml } from "./parse.ts";
import { formatProblem } from "./sync-config.ts";

// Texts that took minutes, or memory without end. A machine that is busy has ten times what it needs.
const TIME = { timeout: 300_000 };
const MIB = 1024 * 1024;

function problems(text: string, variables: Readonly<Record<string, string>> = {}): string[] {
  const parsed = parseSyncYaml(text, (name) => variables[name]);
  return parsed.ok ? [] : parsed.error.map((problem) => formatProblem("f", problem));
}

describe("a sync.yaml that is made to be slow", () => {
  it("may have many keys", TIME, () => {
    const keys = Array.from({ length: 45_000 }, (_, index) => `k${index}: 1`);
    const found = problems(`registries: {}\nsync_rules: []\n${keys.join("\n")}`);
    expect(found[0]).toBe("f:3:1: k0: is not a field that is known here");
    expect(found).toHaveLength(100);
  });

  it("may have many keys twice", TIME, () => {
    const keys = Array.from({ length: 45_000 }, (_, index) => `k${index % 22_500}: 1`);
    expect(problems(keys.join("\n"))).toEqual(['f:22501:1: the key "k0" is there twice']);
  });

  it.each(["[", "{", "- ", "? ", "a: [", '["'])("may not be nested deep: %s", TIME, (text) => {
    const [found = ""] = problems(text.repeat(MIB / text.length));
    expect(found).toMatch(/^f:1:\d+: (?:nested deeper than 100 levels|too much YAML to read)/);
  });

  it("may not repeat much by aliases", TIME, () => {
    const long = `a: &a "${"x".repeat(100_000)}"\nb: [${"*a, ".repeat(100)}]`;
    expect(problems(long)).toEqual([expect.stringContaining("aliases repeat too much")]);
  });

  it("may have many aliases", TIME, () => {
    const many = `a: &a 1\nb: [${"*a, ".repeat(9_000)}]\nc: [${"1, ".repeat(100_000)}]`;
    expect(problems(many)).toEqual(["f:1:1: sync_rules: is needed"]);
  });

  it("may not fill in more than a mebibyte of variables", TIME, () => {
    const text = `a: "${"${X}".repeat(100_000)}"\nb: "\${X}"`;
    const found = problems(text, { X: "x".repeat(10_000) });
    expect(found).toContain("f:1:4: a: variables fill in more than 1048576 characters");
  });

  it("tells a hundred problems of many", TIME, () => {
    const text = Array.from({ length: 20_000 }, (_, index) => `k${index}: "\${NONE}"`).join("\n");
    expect(problems(text).length).toBeLessThanOrEqual(101);
  });
});
