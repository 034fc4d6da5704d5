import { describe, expect, it } from "vitest";
import { existingDecision } from "./existing-tag.ts";
import { pruneRuleSchema, tagRuleSchema } from "./mirror-rules.ts";
import { pruneDecision, type PruneInput } from "./prune.ts";

const range = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `v${index + from}`);

function input(more: Partial<PruneInput>, rule: object = {}, tags: object = {}): PruneInput {
  return {
    rule: pruneRuleSchema.parse({ enabled: true, dryRun: false, ...rule }),
    tags: tagRuleSchema.parse(tags),
    source: range(9),
    target: range(10),
    ...more,
  };
}

describe("pruneDecision", () => {
  it.each<[string, PruneInput, object]>([
    ["deletes what is gone", input({}), { delete: ["v9"], dryRun: false }],
    [
      "only says so by default",
      input({ rule: pruneRuleSchema.parse({ enabled: true }) }),
      { delete: ["v9"], dryRun: true },
    ],
    ["does nothing unless enabled", input({}, { enabled: false }), { delete: [], dryRun: false }],
    ["does nothing if nothing is gone", input({ source: range(20) }), { delete: [], dryRun: false }],
    [
      "does not trust an empty answer",
      input({ source: [] }, { maximumShare: 1 }),
      { refused: "the source has no tags" },
    ],
    [
      "does not trust half an answer",
      input({ source: undefined }, { maximumShare: 1 }),
      { refused: "the source's tags could not all be listed" },
    ],
    [
      "does not trust rules that select nothing",
      input({ source: ["x"] }, { maximumShare: 1 }, { include: ["^v"] }),
      { refused: "the rules select none of the source's tags" },
    ],
    ["deletes up to the share", input({ source: range(8) }), { delete: ["v8", "v9"], dryRun: false }],
    [
      "deletes nothing beyond the share",
      input({ source: range(7) }),
      { refused: "3 of 10 tags would be deleted, more than the share of 0.2" },
    ],
    [
      "takes the share exactly",
      input({ source: range(71), target: range(100) }, { maximumShare: 0.29 }),
      { delete: range(29, 71) },
    ],
    ["deletes all but one if allowed", input({ source: ["v0"] }, { maximumShare: 1 }), { delete: range(9, 1) }],
    [
      "deletes nothing with a share of 0",
      input({}, { maximumShare: 0 }),
      { refused: expect.stringContaining("1 of 10") },
    ],
    [
      "leaves what the rules would not have selected",
      input({ target: [...range(10), "mine", "v9-rc"] }, {}, { include: ["^v"], exclude: ["-rc"] }),
      { delete: ["v9"] },
    ],
    [
      "counts the share among what is ours",
      input({ source: ["v0"], target: ["v0", "v1", ...range(50).map((tag) => `x${tag}`)] }, {}, { include: ["^v"] }),
      { refused: "1 of 2 tags would be deleted, more than the share of 0.2" },
    ],
    ["keeps what is no longer among the newest", input({}, {}, { newest: { count: 1 } }), { delete: ["v9"] }],
    [
      "goes by the source's names",
      input({
        target: [...range(10).map((tag) => `m-${tag}`), "v77"],
        sourceTag: (tag) => (tag.startsWith("m-") ? tag.slice(2) : undefined),
      }),
      { delete: ["m-v9"] },
    ],
    [
      "leaves signatures alone",
      input({ target: [...range(9), `sha256-${"a".repeat(64)}.sig`] }, { maximumShare: 1 }),
      { delete: [] },
    ],
  ])("%s", (_, given, expected) => {
    expect(pruneDecision(given)).toMatchObject(expected);
  });
});

describe("existingDecision", () => {
  it.each([
    [undefined, "a", "copy", "copy", "copy"],
    ["a", "a", "unchanged", "unchanged", "unchanged"],
    ["b", "a", "copy", "skip", "conflict"],
    ["b", undefined, "copy", "skip", "conflict"],
    [undefined, undefined, "copy", "copy", "copy"],
  ] as const)(
    "%s at the target, %s expected: overwrite %s, skip %s, fail %s",
    (target, expected, overwrite, skip, fail) => {
      expect(existingDecision({ target, expected, rule: "overwrite" })).toBe(overwrite);
      expect(existingDecision({ target, expected, rule: "skip" })).toBe(skip);
      expect(existingDecision({ target, expected, rule: "fail" })).toBe(fail);
    },
  );
});
