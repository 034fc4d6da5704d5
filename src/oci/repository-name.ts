/**
 * The name of a repository: path components of lower-case letters and digits, joined by `/`.
 * @see OCI distribution-spec, spec.md, section "Pulling manifests" (`<name>`)
 */
export type RepositoryName = string & { readonly __brand: "RepositoryName" };

/** The unit of tenancy: the first path component of a repository name. */
export type Namespace = string & { readonly __brand: "Namespace" };

/** Host and name together should stay within 255 characters (distribution-spec); the name alone must. */
const MAX_LENGTH = 255;
/** A path component. @see the same section */
export const PATH_COMPONENT = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const COMPONENT = new RegExp(`^${PATH_COMPONENT}$`);
const NAME = new RegExp(`^${PATH_COMPONENT}(?:/${PATH_COMPONENT})*$`);

/** The namespace of repositories whose name has a single component. */
export const DEFAULT_NAMESPACE = "default" as Namespace;

/** `text` as a repository name, or `undefined` if it is not one. */
export function parseRepositoryName(text: string): RepositoryName | undefined {
  return text.length <= MAX_LENGTH && NAME.test(text) ? (text as RepositoryName) : undefined;
}

/** Whether a text can be a component of a repository name. */
export function isPathComponent(text: string): boolean {
  return COMPONENT.test(text);
}

/** The namespace of a repository: its first component, else `default`. */
export function namespaceOf(name: string): Namespace {
  const slash = name.indexOf("/");
  return slash < 0 ? DEFAULT_NAMESPACE : (name.slice(0, slash) as Namespace);
}
