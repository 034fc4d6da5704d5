import { type ServedGroup, type ServedResource, type ServedVersion, verbsOf } from "../kinds/api-model.ts";
import { apiVersionOf, type GroupVersionKind } from "../kinds/kind.ts";
import type { Connecter } from "../storage/storage.ts";
import type { DiscoveryFormat } from "./negotiate.ts";
import { stableHash } from "./stable-hash.ts";

/** A subresource as discovery shows it. */
interface Subresource {
  readonly name: string;
  readonly verbs: readonly string[];
  /** What it answers, if it is not the kind itself. */
  readonly kind?: GroupVersionKind;
}

const SCALE: GroupVersionKind = { group: "autoscaling", version: "v1", kind: "Scale" };

const METHOD_VERBS = { GET: "get", POST: "create", PUT: "update", DELETE: "delete" } as const;

/** `GET /api`: the versions of the core group. @see Kubernetes API, APIVersions */
export function apiVersions(groups: readonly ServedGroup[]): object {
  const core = groups.filter(({ group }) => group === "");
  return {
    kind: "APIVersions",
    versions: core.flatMap(({ versions }) => versions.map(({ version }) => version)),
    serverAddressByClientCIDRs: [],
  };
}

/** `GET /apis`: all groups but the core group. @see Kubernetes API, APIGroupList */
export function apiGroupList(groups: readonly ServedGroup[]): object {
  const named = groups.filter(({ group }) => group !== "");
  return { kind: "APIGroupList", apiVersion: "v1", groups: named.map(groupContent) };
}

/** `GET /apis/<group>`. @see Kubernetes API, APIGroup */
export function apiGroup(group: ServedGroup): object {
  return { kind: "APIGroup", apiVersion: "v1", ...groupContent(group) };
}

function groupContent({ group, versions }: ServedGroup): object {
  const named = versions.map(({ version }) => ({ groupVersion: apiVersionOf({ group, version }), version }));
  return { name: group, versions: named, preferredVersion: named[0] };
}

/** `GET /apis/<group>/<version>` and `GET /api/v1`. @see Kubernetes API, APIResourceList */
export function apiResourceList(group: string, version: ServedVersion): object {
  return {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: apiVersionOf({ group, version: version.version }),
    resources: version.resources.flatMap(resourceEntries),
  };
}

function resourceEntries(resource: ServedResource): object[] {
  const { served, storage } = resource;
  const namespaced = served.scope === "Namespaced";
  const entry = {
    name: served.plural,
    singularName: served.singular,
    namespaced,
    kind: served.kind,
    verbs: verbsOf(storage),
    ...named(resource),
    storageVersionHash: btoa(stableHash(`${served.group}/${served.kind}`).slice(0, 8)),
  };
  const subresources = subresourcesOf(resource).map(({ name, verbs, kind }) => ({
    name: `${served.plural}/${name}`,
    singularName: "",
    namespaced,
    ...(kind ?? { kind: served.kind }),
    verbs,
  }));
  return [entry, ...subresources];
}

/** Short names and categories; absent rather than empty, as kube-apiserver has it. */
function named({ served }: ServedResource): object {
  return {
    ...(served.shortNames.length > 0 ? { shortNames: served.shortNames } : {}),
    ...(served.categories.length > 0 ? { categories: served.categories } : {}),
  };
}

function subresourcesOf({ served, storage, connecters }: ServedResource): Subresource[] {
  const statusVerbs = [
    ...(storage.get === undefined ? [] : ["get"]),
    ...(storage.update === undefined ? [] : ["patch", "update"]),
  ];
  const status = served.hasStatus && statusVerbs.length > 0 ? [{ name: "status", verbs: statusVerbs }] : [];
  const scale = served.scale === undefined ? [] : [{ name: "scale", verbs: statusVerbs, kind: SCALE }];
  return [...status, ...scale, ...connecters.map(connecterEntry)];
}

function connecterEntry({ subresource, methods }: Connecter): Subresource {
  return { name: subresource, verbs: methods.map((method) => METHOD_VERBS[method]).toSorted() };
}

/**
 * `GET /apis` (`named`) and `GET /api` (`core`) for clients that ask for everything at once.
 * @see Kubernetes API, APIGroupDiscoveryList
 */
export function groupDiscoveryList(
  groups: readonly ServedGroup[],
  which: "core" | "named",
  format: Exclude<DiscoveryFormat, "legacy">,
): object {
  const shown = groups.filter(({ group }) => (group === "") === (which === "core"));
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: `apidiscovery.k8s.io/${format}`,
    metadata: {},
    items: shown.map(({ group, versions }) => ({
      metadata: { ...(group === "" ? {} : { name: group }), creationTimestamp: null },
      versions: versions.map(({ version, resources }) => ({
        version,
        freshness: "Current",
        resources: resources.map(resourceDiscovery),
      })),
    })),
  };
}

function resourceDiscovery(resource: ServedResource): object {
  const { served, storage } = resource;
  const responseKind = { group: served.group, version: served.version, kind: served.kind };
  const subresources = subresourcesOf(resource).map(({ name, verbs, kind = responseKind }) => ({
    subresource: name,
    responseKind: kind,
    verbs,
  }));
  return {
    resource: served.plural,
    responseKind,
    scope: served.scope,
    singularResource: served.singular,
    verbs: verbsOf(storage),
    ...named(resource),
    ...(subresources.length > 0 ? { subresources } : {}),
  };
}
