import type { ContentFilter } from "../content/index.ts";
import type { FieldRequirement, LabelRequirement, ListQuery } from "../resources/index.ts";
import { LABELS, repositoryOfLabel } from "./object-labels.ts";
import { repositoryAt } from "./object-names.ts";

/** The parts of an object's name, or `undefined` if nothing can be called that. */
export type NameParser = (namespace: string, name: string) => ContentFilter | undefined;

/** Fields that are columns of the database. */
const FIELDS: Readonly<Record<string, keyof ContentFilter>> = {
  "metadata.namespace": "namespace",
  "spec.repository": "repository",
  "spec.tag": "tag",
  "spec.digest": "digest",
  "spec.mediaType": "mediaType",
  "spec.artifactType": "artifactType",
  "spec.subject": "subject",
};

/**
 * As much of a query's selectors as the database can answer by an index; the rest is looked at row by row. Answers
 * `undefined` if nothing can match. It may be wider than the selectors, never narrower.
 */
export function contentFilter(query: ListQuery, parseName: NameParser): ContentFilter | undefined {
  const parts: ContentFilter[] = query.namespace === undefined ? [] : [{ namespace: query.namespace }];
  for (const field of query.fields) {
    const part = fieldPart(field);
    if (part !== undefined) parts.push(part);
  }
  const namespace = merge(parts)?.namespace;
  for (const { path, operator, value } of query.fields) {
    if (path !== "metadata.name" || operator !== "=" || namespace === undefined) continue;
    const named = parseName(namespace, value);
    if (named === undefined) return undefined;
    parts.push(named);
  }
  for (const label of query.labels) parts.push(labelPart(label, namespace));
  return merge(parts);
}

function fieldPart({ path, operator, value }: FieldRequirement): ContentFilter | undefined {
  const column = Object.hasOwn(FIELDS, path) ? FIELDS[path] : undefined;
  // An absent field equals the empty text, and is NULL in the database.
  return operator !== "=" || column === undefined || value === "" ? undefined : { [column]: value };
}

function labelPart(label: LabelRequirement, namespace: string | undefined): ContentFilter {
  if (label.operator !== "in") return {};
  const [value, ...others] = label.values;
  if (value === undefined || others.length > 0) return {};
  if (label.key === LABELS.tag && value !== "") return { tag: value };
  if (label.key !== LABELS.repository || namespace === undefined) return {};
  const repository = repositoryAt(namespace, repositoryOfLabel(value));
  return repository === undefined ? {} : { repository };
}

/** All of them at once; `undefined` if two contradict each other. */
function merge(parts: readonly ContentFilter[]): ContentFilter | undefined {
  const merged: Record<string, string> = {};
  for (const [name, value] of parts.flatMap((part) => Object.entries(part) as [string, string][])) {
    if (merged[name] !== undefined && merged[name] !== value) return undefined;
    merged[name] = value;
  }
  return merged;
}
