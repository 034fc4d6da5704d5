import { describe, expect, it } from "vitest";
import type { SchemaNode } from "../../kinds/kind.ts";
import { RuleChecker } from "./rule-checker.ts";
import { checkRuleSyntax } from "./rules.ts";

const OBJECT: SchemaNode = {
  type: "object",
  properties: { text: { type: "string" }, key: { type: "string", maxLength: 63 } },
};

const NODE: SchemaNode = {
  type: "object",
  properties: {
    min: { type: "integer" },
    name: { type: "string" },
    key: { type: "string", maxLength: 63 },
    kind: { type: "string", enum: ["a", "b"] },
    ints: { type: "array", items: { type: "integer" } },
    few: { type: "array", maxItems: 100, items: { type: "integer" } },
    objects: { type: "array", items: OBJECT },
    fewObjects: { type: "array", maxItems: 64, items: OBJECT },
    map: { type: "object", additionalProperties: { type: "string" } },
  },
};

describe("the estimated cost of a rule", () => {
  const checker = new RuleChecker(NODE, false);

  it.each([
    "self.min > 1 && self.kind == 'a'",
    "self.ints.all(x, x > 0)",
    "self.few.all(x, self.few.all(y, self.few.all(z, x == y)))",
    "self.objects.all(x, x.text.startsWith('x'))",
    "self.objects.all(x, x.key != '')",
    "self.fewObjects.all(x, self.fewObjects.exists_one(y, x.key == y.key))",
    "self.fewObjects.all(x, x.text.matches('^[a-z]+$'))",
    "self.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
    "self.key in self.fewObjects.map(x, x.key)",
    "self.map.all(k, k.size() < 63)",
    "self == oldSelf",
  ])("is within the budget: %s", (rule) => {
    expect(checker.problem(rule, "bool")).toBeUndefined();
  });

  it.each([
    "self.ints.all(x, self.ints.all(y, x == y))",
    "self.ints.all(i, x, self.ints.exists(j, y, x == y && i != j))",
    "self.few.all(x, self.few.all(y, self.few.all(z, self.few.exists(w, x == y))))",
    "self.objects.all(x, x.key in self.objects.map(y, y.key))",
    "self.name.contains(self.name)",
    "self.ints.map(x, self.ints + self.ints).size() > 0",
    "cel.bind(all, self.ints, all.all(x, x in all))",
  ])("is beyond it: %s", (rule) => {
    expect(checker.problem(rule, "bool")).toContain("estimated cost exceeds the budget by a factor of");
  });

  it("counts a rule for each value that it is asked of", () => {
    const rule = "[1, 2, 3, 4, 5, 6, 7, 8].all(x, self.text != string(x))";
    const withRule = (limits: object): SchemaNode => ({
      type: "object",
      properties: {
        list: {
          type: "array",
          ...limits,
          items: { ...OBJECT, "x-kubernetes-validations": [{ rule }] },
        },
      },
    });
    expect(checkRuleSyntax(withRule({ maxItems: 4 }))).toEqual([]);
    expect(checkRuleSyntax(withRule({}))).toMatchObject([
      { field: "properties[list].items.x-kubernetes-validations[0].rule" },
    ]);
  });
});
