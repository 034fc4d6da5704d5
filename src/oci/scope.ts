import { PATH_COMPONENT } from "./repository-name.ts";

/** One thing that a token is for, as in its claim `access`. @see Docker, "Token authentication specification" */
export interface ScopeAccess {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

/** Limits of what one request for a token may ask for. */
export const SCOPE_LIMITS = {
  /** Scopes that are looked at; what comes after them is ignored. */
  scopes: 100,
  /** Characters of a name, as of a repository. */
  name: 255,
} as const;

const TYPE = /^([a-z0-9]+)(?:\([a-z0-9]+\))?$/;
const ACTION = /^(?:[a-z]+|\*)$/;
const HOST = "[a-zA-Z0-9][a-zA-Z0-9-]*(?:\\.[a-zA-Z0-9][a-zA-Z0-9-]*)*(?::[0-9]+)?";
const NAME = new RegExp(`^(?:${HOST}/)?${PATH_COMPONENT}(?:/${PATH_COMPONENT})*$`);

/**
 * Reads scopes such as `repository:team-a/app:pull,push`: each text may hold several with spaces between, each scope one
 * colon in its name. What is asked for twice is merged, what is malformed is ignored, and the class of a type
 * (`repository(plugin)`) means nothing.
 * @see Docker, "Token scope documentation", "Resource scope grammar"
 */
export function parseScopes(texts: readonly string[]): ScopeAccess[] {
  const merged = new Map<string, { readonly type: string; readonly name: string; readonly actions: Set<string> }>();
  const words = texts.flatMap((text) => text.split(" ")).filter((word) => word !== "");
  for (const word of words.slice(0, SCOPE_LIMITS.scopes)) {
    const scope = parseScope(word);
    if (scope === undefined) continue;
    const key = `${scope.type}:${scope.name}`;
    const known = merged.get(key);
    if (known === undefined) merged.set(key, { ...scope, actions: new Set(scope.actions) });
    else for (const action of scope.actions) known.actions.add(action);
  }
  return [...merged.values()].map(({ type, name, actions }) => ({ type, name, actions: [...actions] }));
}

function parseScope(word: string): ScopeAccess | undefined {
  const first = word.indexOf(":");
  const last = word.lastIndexOf(":");
  if (first < 0 || first === last) return undefined;
  const type = TYPE.exec(word.slice(0, first))?.[1];
  const name = word.slice(first + 1, last);
  const actions = word.slice(last + 1).split(",");
  if (type === undefined || name.length > SCOPE_LIMITS.name || !NAME.test(name)) return undefined;
  return actions.every((action) => ACTION.test(action)) ? { type, name, actions } : undefined;
}

/** The scopes as clients write them, with spaces between. */
export function formatScopes(scopes: readonly ScopeAccess[]): string {
  return scopes.map(({ type, name, actions }) => `${type}:${name}:${actions.join(",")}`).join(" ");
}
