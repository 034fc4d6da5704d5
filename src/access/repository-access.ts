import { namespaceOf, type ScopeAccess } from "../oci/index.ts";
import type { RepositoryVerb } from "./identity.ts";
import type { AccessRequest } from "./policy.ts";

/** How roles name repositories: the actions of `/v2` are verbs of this resource. */
export const REPOSITORIES = { group: "content.entrepot.dev", resource: "repositories" } as const;

/** What doing `verb` to a repository asks of a policy. `repository` is the whole name: `team-a/app`. */
export function repositoryAccess(verb: Exclude<RepositoryVerb, "catalog">, repository: string): AccessRequest {
  return { verb, ...REPOSITORIES, subresource: "", namespace: namespaceOf(repository), name: repository };
}

/** Whether a credential that is limited to `scope` is good for a request. Only what `/v2` does can be in a scope. */
export function scopeAllows(scope: readonly ScopeAccess[], request: AccessRequest): boolean {
  const { verb, group, resource, subresource, name } = request;
  if (group !== REPOSITORIES.group || resource !== REPOSITORIES.resource || subresource !== "") return false;
  if (verb !== "pull" && verb !== "push" && verb !== "delete") return false;
  return scope.some(
    (entry) =>
      entry.type === "repository" &&
      entry.name === name &&
      (entry.actions.includes(verb) || entry.actions.includes("*")),
  );
}

/** Whether a credential that is limited to `scope` is good for listing repositories: `registry:catalog:*`. */
export function scopeAllowsCatalog(scope: readonly ScopeAccess[]): boolean {
  return scope.some((entry) => entry.type === "registry" && entry.name === "catalog" && entry.actions.includes("*"));
}
