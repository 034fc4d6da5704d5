import { describe, expect, it } from "vitest";
import type { SchemaNode, ValidationRule } from "../../kinds/kind.ts";
import { readsVariable } from "./environment.ts";
import { checkRules, checkRuleSyntax } from "./rules.ts";

const PROPERTIES: Readonly<Record<string, SchemaNode>> = {
  min: { type: "integer" },
  max: { type: "integer" },
  ratio: { type: "number" },
  name: { type: "string" },
  list: { type: "array", items: { type: "integer" } },
  "x-y": { type: "integer" },
  labels: { type: "object", additionalProperties: { type: "string" } },
};

function withRule(rule: ValidationRule | string): SchemaNode {
  const rules = [typeof rule === "string" ? { rule } : rule];
  return {
    type: "object",
    properties: { spec: { type: "object", properties: PROPERTIES, "x-kubernetes-validations": rules } },
  };
}

function holds(rule: string, spec: object, before?: object): boolean {
  const oldObject = before === undefined ? undefined : { spec: before };
  return checkRules({ spec }, oldObject, withRule(rule)).length === 0;
}

describe("checkRules", () => {
  it.each<[string, object, boolean]>([
    ["self.min <= self.max", { min: 1, max: 2 }, true],
    ["self.min <= self.max", { min: 3, max: 2 }, false],
    ["self.min + 1 == self.max", { min: 1, max: 2 }, true],
    ["self.ratio + 1.0 == 3.0", { ratio: 2 }, true],
    ["self.list.all(x, x > 0)", { list: [1, 2] }, true],
    ["self.list.all(x, x > 0)", { list: [1, -2] }, false],
    ["self.list.exists(x, x == 2) && self.list.exists_one(y, y == 1)", { list: [1, 2] }, true],
    ["self.list.map(x, x * 2).filter(x, x > 2).size() == 1", { list: [1, 2] }, true],
    ["self.list.map(x, x > 1, x * 10) == [20]", { list: [1, 2] }, true],
    ["self.list.all(x, self.list.exists(y, y == x))", { list: [1, 2, 3] }, true],
    ["self.list.sum() == 6 && self.list.max() == 3 && self.list.isSorted()", { list: [1, 2, 3] }, true],
    ["cel.bind(n, self.list.size(), n > 1 && n < 4)", { list: [1, 2, 3] }, true],
    ["self.name.matches('^[a-z]+$')", { name: "abc" }, true],
    ["self.name.matches('^[a-z]+$')", { name: "aBc" }, false],
    ["'all(' in [self.name] // self.list.all(", { name: "all(" }, true],
    ["!has(self.name) || self.name != ''", {}, true],
    ["has(self.constructor) || has(self.toString)", {}, false],
    ["self.x__dash__y == 1", { "x-y": 1 }, true],
    ["self.labels['a-b'] == 'c'", { labels: { "a-b": "c" } }, true],
    ["self.labels.all(k, k.startsWith('a'))", { labels: { ab: "", b: "" } }, false],
    ["duration('90s') > duration('1m')", {}, true],
    ["size(self.list) == 0 || 1.5e-3 < 1.0", { list: [1] }, true],
  ])("%s of %j: %s", (rule, spec, expected) => {
    expect(holds(rule, spec)).toBe(expected);
  });

  it("applies rules about changes to changes only", () => {
    expect(holds("self.min == oldSelf.min", { min: 1 })).toBe(true);
    expect(holds("self.min == oldSelf.min", { min: 1 }, { min: 1 })).toBe(true);
    expect(holds("self.min == oldSelf.min", { min: 1 }, { min: 2 })).toBe(false);
    expect(holds("self.name == '.oldSelf'", { name: "x" })).toBe(false);
    const optional = withRule({ rule: "oldSelf.hasValue() || self.min == 0", optionalOldSelf: true });
    expect(checkRules({ spec: { min: 1 } }, undefined, optional)).toHaveLength(1);
    expect(checkRules({ spec: { min: 1 } }, { spec: { min: 1 } }, optional)).toHaveLength(0);
  });

  it("finds the former element of a list by its key", () => {
    const node: SchemaNode = {
      type: "object",
      properties: {
        items: {
          type: "array",
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["k"],
          items: {
            type: "object",
            properties: { k: { type: "string" }, v: { type: "integer" } },
            "x-kubernetes-validations": [{ rule: "self.v >= oldSelf.v", message: "must not shrink" }],
          },
        },
      },
    };
    const before = {
      items: [
        { k: "a", v: 1 },
        { k: "b", v: 5 },
      ],
    };
    const after = {
      items: [
        { k: "b", v: 4 },
        { k: "c", v: 0 },
        { k: "a", v: 2 },
      ],
    };
    expect(checkRules(after, before, node)).toEqual([
      { reason: "FieldValueInvalid", field: "items[0]", message: 'Invalid value: "object": must not shrink' },
    ]);
  });

  it.each<[ValidationRule, object]>([
    [
      { rule: "self.min < 1" },
      { reason: "FieldValueInvalid", field: "spec", message: 'Invalid value: "object": failed rule: self.min < 1' },
    ],
    [
      { rule: "false", message: "no", reason: "FieldValueForbidden", fieldPath: ".min" },
      { reason: "FieldValueForbidden", field: "spec.min", message: "Forbidden: no" },
    ],
    [
      {
        rule: "false",
        reason: "FieldValueRequired",
        message: "plain",
        messageExpression: "'min is ' + string(self.min)",
      },
      { reason: "FieldValueRequired", field: "spec", message: "Required value: min is 7" },
    ],
    [
      { rule: "false", message: "plain", messageExpression: "self.missing" },
      { reason: "FieldValueInvalid", field: "spec", message: 'Invalid value: "object": plain' },
    ],
    [
      { rule: "self.missing == 1" },
      {
        reason: "FieldValueInvalid",
        field: "spec",
        message: 'Invalid value: "object": No such key: missing evaluating rule: self.missing == 1',
      },
    ],
  ])("says of %j", (rule, expected) => {
    expect(checkRules({ spec: { min: 7 } }, undefined, withRule(rule))).toEqual([expected]);
  });

  // Every operation whose cost grows with its operands, within two loops that are cheap by themselves.
  it.each([
    "self.list.all(c, self.list.all(d, a + b + c + d >= 0))",
    "self.list.all(c, self.list.all(d, d.missing))",
    "!self.list.exists(c, a == -1)",
    "self.list.map(c, c).size() > 0",
    "self.list + self.list != []",
    "self.list == self.list.map(x, x)",
    "-1 in self.list || true",
    "self.name + self.name != ''",
    "self.name < self.other",
    "self.name == self.other || true",
    "(self.name + 'b').contains(self.name)",
    "self.name.matches('(a+a+)+$')",
    "self.name.split('').size() > 0",
    "string(self.name) != ''",
    "size(self.name) > 0",
    "self.list.sum() > 0",
    "self.list.map(x, string(x)).join(',') != ''",
    "self.map.exists(k, true)",
    "size(self.map) > 0",
    "self.map != self.map2",
    "[self.list, self.list, self.list] == [self.list, self.list, self.list]",
    "bytes(self.name).size() > 0",
    "a == 0 || timestamp('2026-01-01T00:00:00Z').getHours('Europe/Paris') >= 0",
    "cel.bind(x, self.list + self.list, x.size() > 0)",
  ])(
    "counts what %s costs",
    (inner) => {
      const rule = `self.list.all(a, self.list.all(b, ${inner}))`;
      const list = Array.from({ length: 300 }, (_, index) => index);
      const map = Object.fromEntries(list.map((index) => [`k${index}`, index]));
      const name = "a".repeat(300);
      const spec = { list, map, map2: { ...map, k299: 0 }, name, other: `${name}b` };
      const [cause] = checkRules({ spec }, undefined, withRule(rule));
      expect(cause?.message).toContain("the rules cost too much for this object");
    },
    20_000,
  );

  it.each([
    `[self.name]${".map(x, x + x)".repeat(60)}.size() > 0`,
    `[self.list]${".map(x, x + x)".repeat(60)}.size() > 0`,
    `[self.list]${".map(x, [x, x])".repeat(60)} == [self.list]${".map(x, [x, x])".repeat(60)}`,
    `cel.bind(a, self.list + self.list, ${"cel.bind(a, a + a, ".repeat(40)}a.size() > 0${")".repeat(40)})`,
  ])(
    "ends a rule that would grow without end (%#)",
    (rule) => {
      const list = Array.from({ length: 1000 }, (_, index) => index);
      const [cause] = checkRules({ spec: { list, name: "ab" } }, undefined, withRule(rule));
      expect(cause?.message).toContain("the rules cost too much for this object");
    },
    20_000,
  );

  it("lets ordinary rules over large objects be", () => {
    const list = Array.from({ length: 10_000 }, (_, index) => index);
    const rules = [
      "self.list.all(x, x < self.list.size())",
      "self.list.map(x, x * 2).exists(x, x == 19998)",
      "!(-1 in self.list)",
    ];
    for (const rule of rules) expect(holds(rule, { list })).toBe(true);
  });
});

describe("checkRuleSyntax", () => {
  it.each([
    "self.min <= self.max",
    "self.list.all(x, string(x).matches('a'))",
    "has(self.name) ? self.name != '' : true",
    "oldSelf == self",
  ])("takes %s", (rule) => {
    expect(checkRuleSyntax(withRule(rule))).toEqual([]);
  });

  it.each([
    "",
    "self.",
    "1 + ",
    "1 + 1",
    "'text'",
    "nobody.knows",
    "unheardOf(self)",
    "1 + 'a' == 2",
    "a".repeat(6000),
  ])("refuses what is no rule (%#)", (rule) => {
    const [cause] = checkRuleSyntax(withRule(rule));
    expect(cause?.field).toBe("properties[spec].x-kubernetes-validations[0].rule");
  });

  it("refuses oldSelf where nothing can be its former self, and messages that are no texts", () => {
    const rules = [{ rule: "self > oldSelf", messageExpression: "1 + 1" }];
    const node: SchemaNode = { type: "array", items: { type: "integer", "x-kubernetes-validations": rules } };
    expect(checkRuleSyntax(node, "at").map(({ field }) => field)).toEqual([
      "at.items.x-kubernetes-validations[0].messageExpression",
      "at.items.x-kubernetes-validations[0].rule",
    ]);
  });
});

describe("readsVariable", () => {
  it("knows variables from fields and texts", () => {
    expect(readsVariable("self.oldSelf == 'oldSelf'", "oldSelf")).toBe(false);
    expect(readsVariable("self == oldSelf.a", "oldSelf")).toBe(true);
    expect(readsVariable("self.all(x, cel.bind(y, oldSelf, y == x))", "oldSelf")).toBe(true);
  });
});
