import type { ListedManifest, ListedRepository, ListedTag } from "../content/index.ts";
import type { ObjectMeta, ResourceObject } from "../resources/index.ts";
import {
  CONTENT_GROUP,
  CONTENT_VERSION,
  type ManifestSpec,
  type RepositorySpec,
  type TagSpec,
} from "./content-kinds.ts";
import { type LabelSource, labelsOf } from "./object-labels.ts";
import { type ContentRef, manifestRef, repositoryRef, tagRef } from "./object-names.ts";

const API_VERSION = `${CONTENT_GROUP}/${CONTENT_VERSION}`;

export function repositoryObject(row: ListedRepository): ResourceObject<RepositorySpec> {
  const { repositoryId, repository, tags, manifests, bytes, createdAt, pushedAt } = row;
  const ref = repositoryRef(repository);
  return {
    apiVersion: API_VERSION,
    kind: "Repository",
    metadata: metadata(ref, `repository-${repositoryId}`, { repository: ref.name }, createdAt, pushedAt),
    spec: { repository, tags, manifests, bytes, pushedAt: timestamp(pushedAt) },
  };
}

export function tagObject(row: ListedTag): ResourceObject<TagSpec> {
  const { repositoryId, repository, tag, mediaType, artifactType, pushedAt } = row;
  const labels = { repository: repositoryRef(repository).name, tag, mediaType, artifactType };
  return {
    apiVersion: API_VERSION,
    kind: "Tag",
    metadata: metadata(tagRef(repository, tag), `tag-${repositoryId}-${tag}`, labels, pushedAt, pushedAt),
    spec: { repository, tag, ...manifestFields(row) },
  };
}

export function manifestObject(row: ListedManifest): ResourceObject<ManifestSpec> {
  const { repositoryId, repository, digest, mediaType, artifactType, tags, pushedAt } = row;
  const labels = { repository: repositoryRef(repository).name, mediaType, artifactType };
  const uid = `manifest-${repositoryId}-${digest}`;
  return {
    apiVersion: API_VERSION,
    kind: "Manifest",
    metadata: metadata(manifestRef(repository, digest), uid, labels, pushedAt, pushedAt),
    spec: { repository, ...manifestFields(row), tags },
  };
}

function manifestFields({
  digest,
  mediaType,
  artifactType,
  subject,
  size,
  bytes,
  annotations,
  pushedAt,
}: ListedManifest) {
  const parsed = annotations === null ? {} : (JSON.parse(annotations) as Readonly<Record<string, string>>);
  return {
    digest,
    mediaType,
    ...(artifactType === null ? {} : { artifactType }),
    ...(subject === null ? {} : { subject }),
    size,
    bytes,
    ...(Object.keys(parsed).length === 0 ? {} : { annotations: parsed }),
    pushedAt: timestamp(pushedAt),
  };
}

/** The version of an object of content is the time of its latest push, so that it grows with every change. */
function metadata(
  { namespace, name }: ContentRef,
  uid: string,
  labels: LabelSource,
  created: number,
  changed: number,
): ObjectMeta {
  return {
    name,
    namespace,
    uid,
    resourceVersion: String(changed),
    generation: 1,
    creationTimestamp: timestamp(created),
    labels: labelsOf(labels),
  };
}

/** RFC 3339, whole seconds. */
function timestamp(time: number): string {
  return new Date(time).toISOString().replace(/\.\d{3}Z$/, "Z");
}
