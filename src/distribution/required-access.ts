import { formatScopes, parseRepositoryName, type RepositoryName, type ScopeAccess } from "../oci/index.ts";
import type { Route } from "./route.ts";

/**
 * What a token has to be good for to make a request. It may be more than the request needs: a client that pushes also
 * reads, and asks for one token for both.
 * @see Docker's registry, registry/handlers/app.go, appendAccessRecords
 */
export function requiredAccess(route: Route, method: string, url: URL): readonly ScopeAccess[] {
  switch (route.kind) {
    case "base":
      return [];
    case "catalog":
      return [{ type: "registry", name: "catalog", actions: ["*"] }];
    case "tags":
    case "referrers":
      return [repositoryAccess(route.repository, ["pull"])];
    case "manifest":
    case "blob":
      return [repositoryAccess(route.repository, actionsOf(method))];
    case "upload":
      return [repositoryAccess(route.repository, PUSH)];
    case "uploads": {
      const from = mountSource(url);
      const push = repositoryAccess(route.repository, PUSH);
      return from === undefined ? [push] : [push, repositoryAccess(from, ["pull"])];
    }
  }
}

/** The parameter `scope` of a challenge. @see Docker, "Token authentication specification" */
export function scopeText(access: readonly ScopeAccess[]): string | undefined {
  return access.length === 0 ? undefined : formatScopes(access);
}

/** The same in the `detail` of an error, as Docker's registry has it. */
export function accessDetail(access: readonly ScopeAccess[]): unknown[] | undefined {
  if (access.length === 0) return undefined;
  return access.flatMap(({ type, name, actions }) => actions.map((Action) => ({ Type: type, Name: name, Action })));
}

const PUSH = ["pull", "push"] as const;

function actionsOf(method: string): readonly string[] {
  switch (method) {
    case "GET":
    case "HEAD":
      return ["pull"];
    case "DELETE":
      return ["delete"];
    default:
      return PUSH;
  }
}

function repositoryAccess(name: RepositoryName, actions: readonly string[]): ScopeAccess {
  return { type: "repository", name, actions };
}

function mountSource(url: URL): RepositoryName | undefined {
  const from = url.searchParams.has("mount") ? url.searchParams.get("from") : null;
  return from === null ? undefined : parseRepositoryName(from);
}
