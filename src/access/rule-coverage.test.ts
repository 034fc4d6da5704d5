import { describe, expect, it } from "vitest";
import type { Grant, Rule } from "./policy.ts";
import { uncoveredRules } from "./rule-coverage.ts";

/** `groups resources verbs [names]`, each a list with commas. */
function rule(text: string): Rule {
  const [apiGroups = [], resources = [], verbs = [], resourceNames] = text.split(" ").map((part) => part.split(","));
  return { apiGroups, resources, verbs, ...(resourceNames === undefined ? {} : { resourceNames }) };
}

function held(namespace: string | undefined, ...rules: string[]): Grant {
  return { rules: rules.map(rule), source: "test", ...(namespace === undefined ? {} : { namespace }) };
}

describe("rules are covered", () => {
  it.each<[string, readonly string[], string, boolean]>([
    ["by themselves", ["g r get"], "g r get", true],
    ["not by nothing", [], "g r get", false],
    ["by stars", ["* * *"], "g,h r,r/s,*/t get,* x,y*", true],
    ["by stars alone, if they are stars", ["g r get,list"], "g r *", false],
    ["not by fewer groups", ["g r get"], "* r get", false],
    ["not by fewer resources", ["g r get"], "g * get", false],
    ["by several together", ["g r get", "g s get"], "g r,s get", true],
    ["by several together, verb by verb", ["g r get", "g r list"], "g r get,list", true],
    ["not by several with a gap", ["g r get", "g s list"], "g r,s get,list", false],
    ["a subresource not by its object", ["g r get"], "g r/s get", false],
    ["a subresource by all", ["g * get"], "g r/s get", true],
    ["a subresource by that of all", ["g */s get"], "g r/s get", true],
    ["that of all not by one", ["g r/s get"], "g */s get", false],
    ["names by all names", ["g r get"], "g r get x", true],
    ["all names not by one", ["g r get x"], "g r get", false],
    ["all names not by one, written as a star", ["g r get x"], "g r get *", false],
    ["all names by a star", ["g r get *"], "g r get", true],
    ["names by a pattern", ["g r get a/*"], "g r get a/x,a/y*", true],
    ["a pattern not by a narrower one", ["g r get a/x*"], "g r get a/*", false],
    ["names by several rules", ["g r get x", "g r get y"], "g r get x,y", true],
    ["not what is taken out", ["*,!g r get"], "g r get", false],
    ["all not by all but one", ["*,!g r get"], "* r get", false],
    ["all but one by the same", ["*,!g r get"], "*,!g r get", true],
    ["all but two by all but one", ["*,!g r get"], "*,!g,!h r get", true],
    ["what is not taken out", ["*,!g r get"], "h r get", true],
    ["no resource that is taken out", ["g *,!r get"], "g r get", false],
    ["nothing below one that is taken out", ["g *,!r get"], "g r/s get", false],
    ["no subresource of all that is partly taken out", ["g *,!r get"], "g */s get", false],
    ["the object whose subresource is taken out", ["g *,!*/s get"], "g r get", true],
    ["no subresource that is taken out", ["g *,!*/s get"], "g r/s get", false],
    ["the verb that escalates only by itself", ["g r get,create,update"], "g r escalate", false],
  ])("%s", (_, own, wanted, expected) => {
    expect(uncoveredRules([held(undefined, ...own)], [rule(wanted)], undefined).length === 0).toBe(expected);
  });

  it("in a namespace by what is held there or everywhere, and not the other way round", () => {
    const wanted = [rule("g r get")];
    expect(uncoveredRules([held("a", "g r get")], wanted, "a")).toEqual([]);
    expect(uncoveredRules([held(undefined, "g r get")], wanted, "a")).toEqual([]);
    expect(uncoveredRules([held("b", "g r get")], wanted, "a")).toEqual(wanted);
    expect(uncoveredRules([held("a", "g r get")], wanted, undefined)).toEqual(wanted);
  });

  // In a namespace, names are also compared without it: `x/*` there is `a/x/*`.
  it.each([
    [undefined, "x/*", "a", "x/*", false],
    [undefined, "a/x/*", "a", "x/*", true],
    [undefined, "a/*", "a", "app", true],
    [undefined, "a/*", "a", "a/app", true],
    [undefined, "a/*", "a", "a*", false],
    [undefined, "a/*", "a", "b/app", true],
    [undefined, "app", "a", "app", false],
    ["a", "x/*", "a", "x/y", true],
    ["a", "a/x", "a", "x", false],
  ])("held in %s: %s gives in %s: %s is %s", (where, names, namespace, wanted, expected) => {
    const own = held(where, `g r get ${names}`);
    expect(uncoveredRules([own], [rule(`g r get ${wanted}`)], namespace).length === 0).toBe(expected);
  });

  it("names those that are not", () => {
    const [first, second] = [rule("g r get"), rule("g s get")];
    expect(uncoveredRules([held(undefined, "g r get")], [first, second], undefined)).toEqual([second]);
  });

  it("not if they have too many parts to look at, unless one rule gives all", () => {
    const many = (prefix: string) => Array.from({ length: 100 }, (_each, index) => `${prefix}${index}`).join(",");
    const huge = rule(`g ${many("r")} ${many("v")} ${many("n")}`);
    const start = performance.now();
    expect(uncoveredRules([held(undefined, "g * get", "g * list")], [huge], undefined)).toEqual([huge]);
    expect(uncoveredRules([held(undefined, "g * *")], [huge], undefined)).toEqual([]);
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});
