import { coversGlob, matchesSomeWithPrefix } from "./glob.ts";
import type { Grant, Rule } from "./policy.ts";
import { hasAllNames, splitList } from "./rule-matching.ts";

/** A rule is taken apart into so many at the most; one that would be more has to be held as a whole. */
const MAX_PARTS = 4096;

/**
 * Those of the rules, as they would hold in `namespace` or without one everywhere, that the grants do not give. Each verb
 * of each resource has to be given by one rule. It may take too many for uncovered, never too few.
 * @see Kubernetes, pkg/registry/rbac/validation, Covers
 */
export function uncoveredRules(
  grants: readonly Grant[],
  rules: readonly Rule[],
  namespace: string | undefined,
): readonly Rule[] {
  const held = grants
    .filter((grant) => grant.namespace === undefined || grant.namespace === namespace)
    .flatMap((grant) => grant.rules.map((rule) => ({ rule, isLocal: grant.namespace !== undefined })));
  const isCovered = (wanted: Rule) => held.some(({ rule, isLocal }) => covers(rule, wanted, isLocal, namespace));
  return rules.filter((rule) => !isCovered(rule) && !parts(rule)?.every(isCovered));
}

/** The rule as rules of one verb, one resource and one name each; `undefined` if those are too many. */
function parts(rule: Rule): Rule[] | undefined {
  const groups = taken(rule.apiGroups);
  const resources = taken(rule.resources);
  const names = hasAllNames(rule.resourceNames) ? [undefined] : (rule.resourceNames ?? []).map((name) => [name]);
  if (groups.length * resources.length * names.length * rule.verbs.length > MAX_PARTS) return undefined;
  return groups.flatMap((apiGroups) =>
    resources.flatMap((each) =>
      names.flatMap((resourceNames) =>
        rule.verbs.map((verb) => ({
          apiGroups,
          resources: each,
          verbs: [verb],
          ...(resourceNames === undefined ? {} : { resourceNames }),
        })),
      ),
    ),
  );
}

/** A list for each thing that a list allows, each with all that is taken out. */
function taken(list: readonly string[]): string[][] {
  const { included, excluded } = splitList(list);
  return included.map((entry) => [entry, ...excluded.map((each) => `!${each}`)]);
}

function covers(held: Rule, wanted: Rule, isLocal: boolean, namespace: string | undefined): boolean {
  return (
    wanted.verbs.every((verb) => held.verbs.includes("*") || held.verbs.includes(verb)) &&
    coversList(held.apiGroups, wanted.apiGroups, coversGroup, (taken, group) => group === "*" || group === taken) &&
    coversList(held.resources, wanted.resources, coversResource, overlaps) &&
    coversNames(held, wanted, isLocal, namespace)
  );
}

/** Whether all that a list wants is in another one, and what that one takes out is not wanted. */
function coversList(
  held: readonly string[],
  wanted: readonly string[],
  coversEntry: (held: string, wanted: string) => boolean,
  touches: (taken: string, wanted: string) => boolean,
): boolean {
  const [ours, theirs] = [splitList(held), splitList(wanted)];
  return theirs.included.every(
    (entry) =>
      ours.included.some((each) => coversEntry(each, entry)) &&
      ours.excluded.every((each) => theirs.excluded.includes(each) || !touches(each, entry)),
  );
}

function coversGroup(held: string, wanted: string): boolean {
  return held === "*" || held === wanted;
}

function coversResource(held: string, wanted: string): boolean {
  if (held === "*" || held === wanted) return true;
  const { sub } = resourceParts(wanted);
  return sub !== undefined && held === `*/${sub}`;
}

/** Whether something that `wanted` allows is of what was taken out. */
function overlaps(taken: string, wanted: string): boolean {
  if (taken === "*" || wanted === "*") return true;
  const [out, want] = [resourceParts(taken), resourceParts(wanted)];
  const samePlural = out.plural === "*" || want.plural === "*" || out.plural === want.plural;
  return samePlural && (out.sub === undefined || out.sub === want.sub);
}

function resourceParts(entry: string): { readonly plural: string; readonly sub: string | undefined } {
  const [plural = "", sub] = entry.split("/");
  return { plural, sub };
}

function coversNames(held: Rule, wanted: Rule, isLocal: boolean, namespace: string | undefined): boolean {
  if (hasAllNames(held.resourceNames)) return true;
  if (hasAllNames(wanted.resourceNames)) return false;
  return (wanted.resourceNames ?? []).every((pattern) =>
    spellings(pattern, isLocal ? undefined : namespace).every((each) =>
      (held.resourceNames ?? []).some((own) => coversGlob(own, each)),
    ),
  );
}

/**
 * What a rule that holds everywhere has to match in order to match what the pattern does in a rule of `namespace`: there
 * the pattern is also compared with names without their namespace.
 */
function spellings(pattern: string, namespace: string | undefined): string[] {
  const prefix = `${namespace ?? ""}/`;
  if (namespace === undefined || pattern.startsWith(prefix)) return [pattern];
  const whole = prefix + pattern;
  return matchesSomeWithPrefix(pattern, prefix) ? [pattern, whole] : [whole];
}
