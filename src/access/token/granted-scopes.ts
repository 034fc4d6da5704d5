import type { ScopeAccess } from "../../oci/index.ts";
import type { RepositoryVerb } from "../identity.ts";

/** What the action `*` of a repository stands for. */
const REPOSITORY_ACTIONS = ["pull", "push", "delete"] as const;

/**
 * What of `asked` is allowed. Unknown types and actions are not; `*` of a repository becomes the actions that are.
 * Nothing in common is an empty list, and no error.
 */
export function intersectScopes(
  asked: readonly ScopeAccess[],
  allows: (verb: RepositoryVerb, repository?: string) => boolean,
): ScopeAccess[] {
  return asked.flatMap(({ type, name, actions }): ScopeAccess[] => {
    if (type === "registry") {
      const catalog = name === "catalog" && actions.includes("*") && allows("catalog");
      return catalog ? [{ type, name, actions: ["*"] }] : [];
    }
    if (type !== "repository") return [];
    const granted = repositoryActions(actions).filter((action) => allows(action, name));
    return granted.length === 0 ? [] : [{ type, name, actions: granted }];
  });
}

/** The actions of a repository among `actions`, with `*` written out. */
export function repositoryActions(actions: readonly string[]): Exclude<RepositoryVerb, "catalog">[] {
  return REPOSITORY_ACTIONS.filter((action) => actions.includes("*") || actions.includes(action));
}
