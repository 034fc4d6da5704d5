import { describe, expect, it } from "vitest";
import type { SchemaNode } from "../../kinds/kind.ts";
import { RuleChecker } from "./rule-checker.ts";

const NODE: SchemaNode = {
  type: "object",
  properties: {
    min: { type: "integer" },
    ratio: { type: "number" },
    name: { type: "string" },
    list: {
      type: "array",
      items: { type: "object", properties: { a: { type: "string" }, n: { type: "integer" } } },
    },
    map: { type: "object", additionalProperties: { type: "integer" } },
    port: { "x-kubernetes-int-or-string": true },
    open: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    "x-y": { type: "integer" },
    maybe: { type: "string", nullable: true },
    deep: { type: "object", properties: { field: { type: "string" } } },
  },
};

const checker = new RuleChecker(NODE, false);

describe("RuleChecker", () => {
  it.each([
    "self.min > 1",
    "has(self.deep.field)",
    "self.list.all(x, x.a != '' && x.n > 0)",
    "self.list[0].a == 'b'",
    "self.map.all(k, self.map[k] > 1) && 'a' in self.map",
    "self.port == 1 || self.port == 'http'",
    "self.open.whatever.there == 1",
    "self.x__dash__y > 1",
    "self.maybe == null || self.maybe == 'a'",
    "self.list.map(x, x.a).exists(y, y == 'c')",
    "self.list.filter(x, x.n > 1).size() == 1",
    "self == oldSelf && self.deep == oldSelf.deep && self.list != oldSelf.list",
    "self.?deep.?field.orValue('') == ''",
    "self.list.all(i, x, x.n > i)",
    "self.map.exists(k, v, k == 'a' && v > 1)",
    "self.list.transformList(i, x, x.n + i).size() > 0",
    "dyn(self).whatever == 1",
  ])("takes %s", (rule) => {
    expect(checker.problem(rule, "bool")).toBeUndefined();
  });

  it.each([
    ["self.typo > 1", "No such key: typo"],
    ["self['typo'] == 1", "No such key: typo"],
    ["has(self.typo)", "No such key: typo"],
    ["has(self.deep.typo)", "No such key: typo"],
    ["self.?typo.hasValue()", "No such key: typo"],
    ["self.?deep.?typo.orValue('') == ''", "No such key: typo"],
    ["oldSelf.typo == 1", "No such key: typo"],
    ["self.list.all(x, x.typo == '')", "No such key: typo"],
    ["self.list.exists(x, has(x.typo))", "No such key: typo"],
    ["self.list.all(i, x, x.typo == '')", "No such key: typo"],
    ["cel.bind(x, self.list, x.all(y, y.typo == ''))", "No such key: typo"],
    ["size(self.map) > 0 ? self.typo : true", "No such key: typo"],
    ["self.min > 'a'", "no such overload: int > string"],
    ["self.name + 1 == ''", "no such overload: string + int"],
    ["self.list.map(x, x.a).exists(y, y == 1)", "no such overload: string == int"],
    ["1 in self.map", "no such overload"],
    ["self.name.startsWith(1)", "no matching overload"],
    ["self.name.unheard()", "no matching overload"],
    ["self.min", "must evaluate to a bool, not to int"],
    ["ip('10.0.0.1').family() == 4", "the function ip of Kubernetes is not there"],
    ["self.list.all(x, '%s'.format([x.a]) == '')", "the function format of Kubernetes is not there"],
  ])("refuses %s", (rule, problem) => {
    expect(checker.problem(rule, "bool")).toContain(problem);
  });
});
