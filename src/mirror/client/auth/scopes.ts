/** What a token is for, as the Docker token protocol writes it: `repository:library/nginx:pull,push`. */
export function repositoryScope(name: string, access: "pull" | "push" | "delete"): string {
  const actions = { pull: "pull", push: "pull,push", delete: "pull,push,delete" }[access];
  return `repository:${name}:${actions}`;
}

/** For the list of all repositories. */
export const CATALOG_SCOPE = "registry:catalog:*";

/**
 * What is to be asked for after a challenge: the scopes it demands first, because some token services read only the
 * first, each with the actions that both sides name; then ours that it does not mention.
 */
export function mergeScopes(ours: readonly string[], demanded: string | undefined): readonly string[] {
  const merged = new Map<string, Set<string>>();
  for (const scope of [...(demanded?.split(/\s+/) ?? []), ...ours]) {
    const end = scope.lastIndexOf(":");
    if (end <= 0) continue;
    const actions = merged.get(scope.slice(0, end)) ?? new Set();
    for (const action of scope.slice(end + 1).split(",")) actions.add(action);
    merged.set(scope.slice(0, end), actions);
  }
  return Array.from(merged, ([resource, actions]) => `${resource}:${[...actions].join(",")}`);
}
