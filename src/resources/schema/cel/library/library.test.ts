import { describe, expect, it } from "vitest";
import { evaluateRule } from "../environment.ts";

const SELF = { list: [3n, 1n, 2n], texts: ["b", "a"], map: { a: 1n, b: 2n }, name: "a-b-c", mixed: [1n, 1, "1"] };

const evaluate = (rule: string): unknown => evaluateRule(rule, SELF, undefined, { remaining: 100_000 });

describe("the functions of rules", () => {
  it.each([
    "[1, 2, 3].isSorted() && !self.list.isSorted()",
    "self.list.sum() == 6 && self.list.min() == 1 && self.texts.max() == 'b'",
    "self.list.indexOf(1) == 1 && self.list.indexOf(9) == -1 && [1, 2, 1].lastIndexOf(1) == 2",
    "sets.contains([1, 2, 3], [2, 1]) && !sets.contains([1], [2])",
    "sets.equivalent([1, 2, 2], [2, 1]) && !sets.equivalent([1], [1, 2])",
    "sets.intersects([[1], [2]], [[2]]) && !sets.intersects([1], ['1'])",
    "sets.contains([{'a': 1}], [{'a': 1}]) && sets.contains([], [])",
    "'tacocat'.charAt(3) == 'o' && 'abc'.reverse() == 'cba'",
    "self.name.replace('-', '.') == 'a.b.c' && self.name.replace('-', '', 1) == 'ab-c'",
    "'abc 123'.find('[0-9]+') == '123' && 'abc'.find('[0-9]') == ''",
    "'1 22 333'.findAll('[0-9]+') == ['1', '22', '333'] && '1 22 333'.findAll('[0-9]+', 2) == ['1', '22']",
    "isURL('https://a.dev:80/b?c=d') && !isURL('../relative')",
    "url('https://user@a.dev:8443/b%20c?d=e&d=f').getHost() == 'a.dev:8443'",
    "url('https://[::1]:80/').getHostname() == '::1' && url('https://a.dev:8443').getPort() == '8443'",
    "url('https://a.dev/b%20c').getEscapedPath() == '/b%20c' && url('https://a.dev/').getScheme() == 'https'",
    "url('https://a.dev/?d=e&d=f').getQuery()['d'] == ['e', 'f']",
    "math.greatest(1, 3, 2) == 3 && math.least([3, 1, 2]) == 1 && math.greatest(1.5, 2) == 2",
    "math.abs(-3) == 3 && math.sign(-2.5) == -1.0 && math.round(-2.5) == -3.0 && math.ceil(1.2) == 2.0",
    "math.isInf(1.0 / 0.0) && math.isNaN(0.0 / 0.0) && math.isFinite(1.0)",
    "quantity('1') == quantity('1000m') && quantity('1Ki').asInteger() == 1024",
    "quantity('50M').isGreaterThan(quantity('50000k')) == false && quantity('200M').compareTo(quantity('0.2G')) == 0",
    "quantity('1.5').add(1).sub(quantity('500m')).asInteger() == 2 && quantity('-1').sign() == -1",
    "isQuantity('1e3') && !isQuantity('ten') && !quantity('0.5').isInteger()",
    "[1, 2, 3].all(i, v, i == v - 1) && ![1, 2].all(i, v, i == 1)",
    "self.map.exists(k, v, k == 'b' && v == 2) && !self.map.exists(k, v, v > 2)",
    "self.map.existsOne(k, v, v == 2) && ![1, 1].exists_one(i, v, v == 1)",
    "[5, 6].transformList(i, v, v + i) == [5, 7] && [5, 6].transformList(i, v, i > 0, v) == [6]",
    "self.map.transformMap(k, v, v * 10)['b'] == 20 && size(self.map.transformMap(k, v, v > 1, v)) == 1",
    "[[1, 2], [3]].all(i, row, row.all(j, v, v == i + j + 1 || i == 1))",
    "[1, 0].exists(i, v, 1 / v == 1)",
  ])("%s", (rule) => {
    expect(evaluate(rule)).toBe(true);
  });

  it.each([
    "quantity('ten') == quantity('1')",
    "quantity('0.5').asInteger() == 0",
    "url('no') == url('no')",
    "'a'.charAt(5) == ''",
    "[].min() == 1",
    "[1].all(i, v, 1 / 0 == v)",
  ])("fails at %s", (rule) => {
    expect(() => evaluate(rule)).toThrow();
  });

  it.each([
    "BIG.all(i, a, 'aaaaaaaaaaaaaaaaaaaa'.replace('a', 'bbbbbbbbbbbbbbbbbbbbbbbbb') != '')",
    "sets.contains(BIG, BIG)",
    "BIG.all(i, a, BIG.all(j, b, BIG.all(k, c, true)))",
  ])("counts what %s costs", (rule) => {
    const big = `[${Array.from({ length: 100 }, (_, index) => index).join(",")}]`;
    expect(() => evaluateRule(rule.replaceAll("BIG", big), SELF, undefined, { remaining: 1000 })).toThrow(
      expect.objectContaining({ name: "CostExceeded" }),
    );
  });
});
