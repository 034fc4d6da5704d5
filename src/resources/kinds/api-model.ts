import type { Authorizer } from "../authorizer.ts";
import type { GroupBuilder, GroupRoute } from "./group-builder.ts";
import type { ServedKind } from "./kind.ts";
import type { Connecter, Storage } from "../storage/storage.ts";

/** A kind in one version, with what stores it. */
export interface ServedResource {
  readonly served: ServedKind;
  readonly storage: Storage;
  readonly connecters: readonly Connecter[];
}

/** A version of a group. */
export interface ServedVersion {
  readonly version: string;
  readonly resources: readonly ServedResource[];
  readonly routes: readonly GroupRoute[];
}

/** A group as it is served now: built in, or made of `ResourceDefinition`s. */
export interface ServedGroup {
  readonly group: string;
  /** The preferred version first. */
  readonly versions: readonly ServedVersion[];
  readonly authorizer?: Authorizer;
  readonly mutate?: GroupBuilder["mutate"];
  readonly validate?: GroupBuilder["validate"];
  readonly openapi?: GroupBuilder["openapi"];
}

/** Verbs, as discovery names them, that a storage can do. */
export function verbsOf(storage: Storage): string[] {
  const verbs: string[] = [];
  if (storage.create !== undefined) verbs.push("create");
  if (storage.delete !== undefined) verbs.push("delete");
  if (storage.deleteCollection !== undefined) verbs.push("deletecollection");
  if (storage.get !== undefined) verbs.push("get");
  if (storage.list !== undefined) verbs.push("list");
  if (storage.update !== undefined) verbs.push("patch", "update");
  if (storage.watch !== undefined) verbs.push("watch");
  return verbs;
}
