import { matchesAll, matchesGlob } from "./glob.ts";
import type { AccessRequest, Rule } from "./policy.ts";

/** Whether a rule that holds in a request's namespace allows it. `isLocal`: it holds in that namespace only. */
export function ruleAllows(rule: Rule, request: AccessRequest, isLocal: boolean): boolean {
  return ruleCovers(rule, request) && namesMatch(rule.resourceNames, request, isLocal);
}

/** The same for some object, whatever its name. */
export function ruleCovers(rule: Rule, request: Omit<AccessRequest, "namespace" | "name">): boolean {
  return (
    verbMatches(rule.verbs, request.verb) &&
    groupMatches(rule.apiGroups, request.group) &&
    resourceMatches(rule.resources, request.resource, request.subresource)
  );
}

/** What a list allows, and what it takes out of that. */
export function splitList(list: readonly string[]): {
  readonly included: readonly string[];
  readonly excluded: readonly string[];
} {
  return {
    included: list.filter((entry) => !entry.startsWith("!")),
    excluded: list.filter((entry) => entry.startsWith("!")).map((entry) => entry.slice(1)),
  };
}

/** Whether names are limited at all. */
export function hasAllNames(names: readonly string[] | undefined): boolean {
  return names === undefined || names.length === 0 || names.some(matchesAll);
}

function verbMatches(verbs: readonly string[], verb: string): boolean {
  return verbs.some((each) => each === "*" || each === verb);
}

function groupMatches(groups: readonly string[], group: string): boolean {
  if (groups.includes(`!${group}`)) return false;
  return groups.some((each) => each === "*" || each === group);
}

function resourceMatches(resources: readonly string[], resource: string, subresource: string): boolean {
  let included = false;
  for (const entry of resources) {
    if (entry.startsWith("!")) {
      if (isTakenOut(entry.slice(1), resource, subresource)) return false;
    } else included ||= isIncluded(entry, resource, subresource);
  }
  return included;
}

function isIncluded(entry: string, resource: string, subresource: string): boolean {
  if (entry === "*") return true;
  if (subresource === "") return entry === resource;
  return entry === `${resource}/${subresource}` || entry === `*/${subresource}`;
}

function isTakenOut(entry: string, resource: string, subresource: string): boolean {
  return entry === resource || isIncluded(entry, resource, subresource);
}

/**
 * A request that names nothing (a list, or creating) is allowed by a rule for all names only. A name is compared as it is
 * and with its namespace before it; where the rule holds in that namespace only, also without it. A rule that holds
 * everywhere must not be taken so: `team-a/*` would be `team-b/team-a/app` too.
 */
function namesMatch(
  names: readonly string[] | undefined,
  { name, namespace }: AccessRequest,
  isLocal: boolean,
): boolean {
  if (hasAllNames(names)) return true;
  if (names === undefined || name === "") return false;
  const prefix = `${namespace}/`;
  const isWhole = namespace === "" || name.startsWith(prefix);
  return names.some(
    (pattern) =>
      matchesGlob(pattern, name) ||
      (!isWhole && matchesGlob(pattern, prefix + name)) ||
      (isLocal && isWhole && !pattern.startsWith(prefix) && matchesGlob(pattern, name.slice(prefix.length))),
  );
}
