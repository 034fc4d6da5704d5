import type { RepositoryName } from "../oci/index.ts";
import { type Gate, type Identity, isAnonymous } from "../access/index.ts";
import type {
  ContentFailure,
  ListedManifest,
  ListedRepository,
  ListedTag,
  Manifests,
  Names,
} from "../content/index.ts";
import type { Result } from "../platform/index.ts";
import {
  type AuthorizationAttributes,
  type Authorizer,
  type GroupBuilder,
  notFound,
  type Storage,
  StatusError,
} from "../resources/index.ts";
import { CONTENT_GROUP, CONTENT_VERSION, manifestKind, repositoryKind, tagKind } from "./content-kinds.ts";
import { manifestObject, repositoryObject, tagObject } from "./content-objects.ts";
import {
  type ContentReadPorts,
  type ContentRow,
  type ContentView,
  findForDelete,
  readStorage,
} from "./content-storage.ts";
import { manifestAt, repositoryAt, tagAt } from "./object-names.ts";

/** What the kinds are views of. */
export interface ContentKindsPorts extends ContentReadPorts {
  readonly names: Pick<Names, "removeTag">;
  readonly manifests: Pick<Manifests, "remove">;
  readonly readOnly: boolean;
}

/**
 * What is in the registry, as kinds: `kubectl get repositories -A`, `kubectl delete tag -n team-a app:v1`. They are
 * views: nothing is stored for them, and what `/v2` changes they show at once. There is no watch, since content has no
 * change log by which one could go on where another ended.
 */
export function contentGroup(ports: ContentKindsPorts): GroupBuilder {
  return {
    group: CONTENT_GROUP,
    versions: [CONTENT_VERSION],
    kinds: [
      { declaration: repositoryKind, storage: () => readStorage(ports, REPOSITORIES) },
      { declaration: tagKind, storage: () => tagStorage(ports) },
      { declaration: manifestKind, storage: () => manifestStorage(ports) },
    ],
    authorizer: contentAuthorizer(ports.gate),
  };
}

const REPOSITORIES: ContentView<ListedRepository> = {
  plural: repositoryKind.plural,
  rows: (lists, page) => lists.repositories(page),
  toObject: repositoryObject,
  item: () => "",
  parseName(namespace, name) {
    const repository = repositoryAt(namespace, name);
    return repository === undefined ? undefined : { repository };
  },
  position(namespace, name) {
    const repository = repositoryAt(namespace, name);
    return repository === undefined ? undefined : { repository, item: "" };
  },
};

const TAGS: ContentView<ListedTag> = {
  plural: tagKind.plural,
  rows: (lists, page) => lists.tags(page),
  toObject: tagObject,
  item: ({ tag }) => tag,
  parseName: tagAt,
  position(namespace, name) {
    const found = tagAt(namespace, name);
    return found === undefined ? undefined : { repository: found.repository, item: found.tag };
  },
};

const MANIFESTS: ContentView<ListedManifest> = {
  plural: manifestKind.plural,
  rows: (lists, page) => lists.manifests(page),
  toObject: manifestObject,
  item: ({ digest }) => digest,
  parseName: manifestAt,
  position(namespace, name) {
    const found = manifestAt(namespace, name);
    return found === undefined ? undefined : { repository: found.repository, item: found.digest };
  },
};

/** Deleting a tag leaves the manifest, as `DELETE /v2/<name>/manifests/<tag>` does. */
function tagStorage(ports: ContentKindsPorts): Storage {
  return deletable(ports, TAGS, async (namespace, name) => {
    const found = tagAt(namespace, name);
    return found === undefined ? NOTHING : ports.names.removeTag(found.repository, found.tag);
  });
}

/** Deleting a manifest deletes the tags that name it, as `DELETE /v2/<name>/manifests/<digest>` does. */
function manifestStorage(ports: ContentKindsPorts): Storage {
  return deletable(ports, MANIFESTS, async (namespace, name) => {
    const found = manifestAt(namespace, name);
    return found === undefined ? NOTHING : ports.manifests.remove(found.repository, found.digest);
  });
}

type Removal = Result<void, ContentFailure>;

const NOTHING: Removal = { ok: false, error: { reason: "manifest-unknown" } };

function deletable<R extends ContentRow>(
  ports: ContentKindsPorts,
  view: ContentView<R>,
  remove: (namespace: string, name: string) => Promise<Removal>,
): Storage {
  const storage = readStorage(ports, view);
  return {
    ...storage,
    async delete(context, ref, options) {
      const { namespace = "", name } = ref;
      refuseReadOnly(ports, view.plural, name);
      const object = await findForDelete(storage, view.plural, context, ref, options);
      if (context.dryRun) return { object, gone: true };
      const removed = await remove(namespace, name);
      if (!removed.ok) throw deleteFailure(removed.error, view.plural, name);
      return { object, gone: true };
    },
  };
}

/** @throws {StatusError} Forbidden */
function refuseReadOnly({ readOnly }: ContentKindsPorts, plural: string, name: string): void {
  if (!readOnly) return;
  const details = { name, group: CONTENT_GROUP, kind: plural };
  throw new StatusError(
    "Forbidden",
    `${plural}.${CONTENT_GROUP} "${name}" is forbidden: the registry is read-only`,
    details,
  );
}

/** What removing can fail of is that someone else was faster. */
function deleteFailure(failure: ContentFailure, plural: string, name: string): Error {
  return failure.reason === "manifest-unknown" || failure.reason === "repository-unknown"
    ? notFound({ group: CONTENT_GROUP, plural }, name)
    : new Error(`deleting ${name}: ${failure.reason}`);
}

/** What `/v2` allows is allowed here; beyond that, roles decide. Lists have only what the caller may see. */
function contentAuthorizer(gate: Gate): Authorizer {
  return (attributes) =>
    allowedByV2(gate, attributes) ? { decision: "allow", reason: "content" } : { decision: "no-opinion" };
}

function allowedByV2(gate: Gate, { identity, verb, resource, subresource, namespace, name }: AuthorizationAttributes) {
  if (subresource !== "") return false;
  if (verb === "list") return mayPullSome(identity, namespace);
  const action = verb === "get" ? "pull" : verb === "delete" ? "delete" : undefined;
  // A name that no repository can have is for the roles: who may read nothing is not told that it is not there.
  const repository = action === undefined ? undefined : repositoryNamed(resource, namespace, name);
  return action !== undefined && repository !== undefined && gate.allows(identity, action, repository);
}

/** Nobody in particular has to say which public namespace they want to see. */
function mayPullSome(identity: Identity, namespace: string): boolean {
  const asked = { verb: "pull", group: CONTENT_GROUP, resource: repositoryKind.plural };
  if (namespace !== "") return identity.policy.mayIn(asked, namespace);
  return !isAnonymous(identity) && identity.policy.mayIn(asked);
}

function repositoryNamed(resource: string, namespace: string, name: string): RepositoryName | undefined {
  switch (resource) {
    case TAGS.plural:
      return tagAt(namespace, name)?.repository;
    case MANIFESTS.plural:
      return manifestAt(namespace, name)?.repository;
    default:
      return repositoryAt(namespace, name);
  }
}
