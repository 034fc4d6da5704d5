import {
  DEFAULT_NAMESPACE,
  type Digest,
  namespaceOf,
  parseDigest,
  parseRepositoryName,
  parseTag,
  type RepositoryName,
  type Tag,
} from "../oci/index.ts";
import type { ObjectRef } from "../resources/index.ts";

// How repositories, tags and manifests are called as objects. An object's name cannot hold a slash, since it is a
// segment of a path, so `/` is written `:`, which no repository name has.

/** Names an object of content: each is in a namespace. */
export interface ContentRef extends ObjectRef {
  readonly namespace: string;
}

/**
 * A repository as an object: its namespace, and its path below that. In `default` the name is the whole path, so that
 * `nginx` and `default/nginx`, which are two repositories, are two objects.
 */
export function repositoryRef(repository: RepositoryName): ContentRef {
  const namespace = namespaceOf(repository);
  const path = namespace === DEFAULT_NAMESPACE ? repository : repository.slice(namespace.length + 1);
  return { namespace, name: path.replaceAll("/", ":") };
}

export function tagRef(repository: RepositoryName, tag: Tag): ContentRef {
  const { namespace, name } = repositoryRef(repository);
  return { namespace, name: `${name}:${tag}` };
}

export function manifestRef(repository: RepositoryName, digest: Digest): ContentRef {
  const { namespace, name } = repositoryRef(repository);
  return { namespace, name: `${name}@${digest}` };
}

/** The repository that an object stands for, or `undefined` if there can be none of that name. */
export function repositoryAt(namespace: string, name: string): RepositoryName | undefined {
  const path = name.replaceAll(":", "/");
  const repository = parseRepositoryName(namespace === DEFAULT_NAMESPACE ? path : `${namespace}/${path}`);
  if (repository === undefined) return undefined;
  // What is not what we would have written is no name of ours: a slash in it, or `a:b` in `default`.
  const ref = repositoryRef(repository);
  return ref.namespace === namespace && ref.name === name ? repository : undefined;
}

/** A tag of a repository, or `undefined` if there can be none of that name. */
export function tagAt(
  namespace: string,
  name: string,
): { readonly repository: RepositoryName; readonly tag: Tag } | undefined {
  const colon = name.lastIndexOf(":");
  const repository = repositoryAt(namespace, name.slice(0, Math.max(0, colon)));
  const tag = parseTag(name.slice(colon + 1));
  return repository === undefined || tag === undefined ? undefined : { repository, tag };
}

/** A manifest of a repository, or `undefined` if there can be none of that name. */
export function manifestAt(
  namespace: string,
  name: string,
): { readonly repository: RepositoryName; readonly digest: Digest } | undefined {
  const at = name.indexOf("@");
  const repository = repositoryAt(namespace, name.slice(0, Math.max(0, at)));
  const digest = parseDigest(name.slice(at + 1));
  return repository === undefined || digest === undefined ? undefined : { repository, digest };
}
