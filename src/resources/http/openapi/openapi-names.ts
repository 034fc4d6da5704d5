import type { GroupVersionKind, ServedKind } from "../../kinds/kind.ts";

/** Names of the types that all groups share. Tools know them by these names. */
const META = "io.k8s.apimachinery.pkg.apis.meta.v1";
export const OBJECT_META_NAME = `${META}.ObjectMeta`;
export const LIST_META_NAME = `${META}.ListMeta`;
export const STATUS_NAME = `${META}.Status`;
export const DELETE_OPTIONS_NAME = `${META}.DeleteOptions`;

/** Patches that the documents offer, with what they are. */
export const PATCH_TYPES = [
  "application/json-patch+json",
  "application/merge-patch+json",
  // Strategic merge is accepted but not offered: kubectl would compute such patches from the schema, and fail where a
  // schema is open.
  "application/apply-patch+yaml",
] as const;

/** The name of a kind's schema: the group backwards, as Kubernetes names its own, then version and kind. */
export function schemaName({ group, version, kind }: GroupVersionKind): string {
  const reversed = group === "" ? "dev.entrepot.core" : group.split(".").toReversed().join(".");
  return `${reversed}.${version}.${kind}`;
}

export function kindOf({ group, version, kind }: ServedKind): GroupVersionKind {
  return { group, version, kind };
}

/** The kind of a list of objects. */
export function listKindOf({ group, version, listKind }: ServedKind): GroupVersionKind {
  return { group, version, kind: listKind };
}

/** Where a version of a group is served, without a slash at either end. */
export function basePath(group: string, version: string): string {
  return group === "" ? `api/${version}` : `apis/${group}/${version}`;
}

/** Where the objects of a kind are. */
export function collectionPath({ group, version, plural, scope }: ServedKind): string {
  return `/${basePath(group, version)}${scope === "Namespaced" ? "/namespaces/{namespace}" : ""}/${plural}`;
}
