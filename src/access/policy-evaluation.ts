import { API_GROUPS } from "./api-groups.ts";
import { matchesSomeWithPrefix } from "./glob.ts";
import type { AccessDecision, AccessRequest, Grant, Policy, Rule } from "./policy.ts";
import { uncoveredRules } from "./rule-coverage.ts";
import { hasAllNames, ruleAllows, ruleCovers } from "./rule-matching.ts";

/** What everyone may read in public namespaces. */
const CONTENT: ReadonlySet<string> = new Set(["repositories", "tags", "manifests"]);

const REPOSITORIES = "repositories";

const DENIED: AccessDecision = { allowed: false, reason: "no-rule" };
const PUBLIC: AccessDecision = { allowed: true, reason: "public-namespace" };
const MASTERS: AccessDecision = { allowed: true, reason: "masters" };

/** What members of `system:masters` may do: everything. */
export const mastersPolicy: Policy = {
  decide: () => MASTERS,
  mayIn: () => true,
  uncovered: () => [],
};

interface HeldRule {
  readonly rule: Rule;
  readonly allowed: AccessDecision;
}

/**
 * What an identity may do that has these grants, besides what everyone may do in public namespaces. Rules only add: what
 * none allows is denied.
 * @see Kubernetes, "Using RBAC Authorization"
 */
export function compilePolicy(grants: readonly Grant[], publicNamespaces: ReadonlySet<string>): Policy {
  const everywhere: HeldRule[] = [];
  const local = new Map<string, HeldRule[]>();
  for (const { rules, namespace, source } of grants) {
    const allowed = { allowed: true, reason: `role ${source}` };
    const held = rules.map((rule) => ({ rule, allowed }));
    if (namespace === undefined) everywhere.push(...held);
    else if (namespace !== "") {
      const there = local.get(namespace);
      if (there === undefined) local.set(namespace, held);
      else there.push(...held);
    }
  }
  const localRules = (namespace: string): readonly HeldRule[] => local.get(namespace) ?? [];
  return {
    decide(request) {
      if (request.resource === "") return DENIED;
      if (publicNamespaces.has(request.namespace) && isPublicRead(request)) return PUBLIC;
      const found =
        everywhere.find(({ rule }) => ruleAllows(rule, request, false)) ??
        localRules(request.namespace).find(({ rule }) => ruleAllows(rule, request, true));
      return found?.allowed ?? DENIED;
    },
    mayIn(about, namespace) {
      const request = { ...about, subresource: "" };
      if (about.resource === "") return false;
      const isPublic = namespace === undefined ? publicNamespaces.size > 0 : publicNamespaces.has(namespace);
      if (isPublic && isPublicRead(request)) return true;
      const inside = namespace === undefined ? [...local.values()].flat() : localRules(namespace);
      return (
        inside.some(({ rule }) => ruleCovers(rule, request)) ||
        everywhere.some(
          ({ rule }) => ruleCovers(rule, request) && (namespace === undefined || reaches(rule, request, namespace)),
        )
      );
    },
    uncovered: (rules, namespace) => uncoveredRules(grants, rules, namespace),
  };
}

function isPublicRead({ verb, group, resource, subresource }: Omit<AccessRequest, "namespace" | "name">): boolean {
  if (group !== API_GROUPS.content || subresource !== "") return false;
  if (verb === "pull") return resource === REPOSITORIES;
  return (verb === "get" || verb === "list") && CONTENT.has(resource);
}

/** Whether a rule that holds everywhere can allow anything in a namespace: names of repositories begin with theirs. */
function reaches(
  rule: Rule,
  { group, resource }: { readonly group: string; readonly resource: string },
  namespace: string,
) {
  if (group !== API_GROUPS.content || resource !== REPOSITORIES || hasAllNames(rule.resourceNames)) return true;
  // A repository whose name has no slash is in `default`.
  if (namespace === "default" && rule.resourceNames?.some((pattern) => !pattern.includes("/"))) return true;
  return rule.resourceNames?.some((pattern) => matchesSomeWithPrefix(pattern, `${namespace}/`)) ?? true;
}
