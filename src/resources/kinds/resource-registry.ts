import type { ServedGroup, ServedResource, ServedVersion } from "./api-model.ts";
import type { Authorizer } from "../authorizer.ts";
import type { GroupBuilder, KindRegistration } from "./group-builder.ts";
import type { ServedKind } from "./kind.ts";
import type { Admission } from "../objects/object-pipeline.ts";
import { serveKind } from "../schema/serve-kind.ts";
import type { FullStorage, Storage } from "../storage/storage.ts";
import { type HooksFactory, type StorageHooks, withoutVerbs } from "../storage/storage-hooks.ts";
import { guarded, type UseRule } from "../use/index.ts";

/** Makes the general storage of a kind. */
export type StorageFactory = (kind: ServedKind, admission: Admission, hooks?: StorageHooks) => FullStorage;

/** The general storage of a kind as it is served: with the kind's hooks, and without the verbs that they refuse. */
export function servedStorage(
  make: StorageFactory,
  kind: ServedKind,
  admission: Admission,
  hooks: HooksFactory | undefined,
): Storage {
  const general = make(kind, admission);
  if (hooks === undefined) return general;
  const own = hooks(general);
  return withoutVerbs(make(kind, admission, own), own.refuse);
}

const GROUP = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/;
const VERSION = /^v[1-9][0-9]*((alpha|beta)[1-9][0-9]*)?$/;

const NONE: readonly ServedGroup[] = [];

/** Where kinds come from that are not declared in code. */
export interface RuntimeGroups {
  /** The groups of now. */
  groups(): Promise<readonly ServedGroup[]>;
}

/** Everything the API serves: groups registered by builders, and those defined at run time. */
export class ResourceRegistry {
  readonly #groups = new Map<string, ServedGroup>();
  readonly #makeStorage: StorageFactory;
  readonly #use: UseRule;
  #runtime: RuntimeGroups | undefined;
  /** All groups, as long as those defined at run time stay the same: documents are kept by the list. */
  #all: { readonly defined: readonly ServedGroup[]; readonly groups: readonly ServedGroup[] } | undefined;

  /** @param use whether someone may use what an object names */
  constructor(makeStorage: StorageFactory, use: UseRule) {
    this.#makeStorage = makeStorage;
    this.#use = use;
  }

  /** @throws {Error} naming the group, version or kind that is wrong or registered twice */
  register(builder: GroupBuilder): void {
    const { group, versions } = builder;
    if (group !== "" && !GROUP.test(group))
      throw new Error(`group ${JSON.stringify(group)}: not a DNS name of at least two labels`);
    if (versions.length === 0) throw new Error(`group ${group}: has no version`);
    for (const version of versions) {
      if (!VERSION.test(version))
        throw new Error(`group ${group}: ${JSON.stringify(version)} is not a version such as v1 or v1alpha1`);
    }
    if (this.#groups.has(group)) throw new Error(`group ${group}: registered twice`);
    checkKinds(builder);
    this.#all = undefined;
    this.#groups.set(group, {
      group,
      versions: versions.map((version) => this.#serveVersion(builder, version)),
      ...(builder.authorizer === undefined ? {} : { authorizer: builder.authorizer }),
      ...(builder.mutate === undefined ? {} : { mutate: builder.mutate }),
      ...(builder.validate === undefined ? {} : { validate: builder.validate }),
      ...(builder.openapi === undefined ? {} : { openapi: builder.openapi }),
    });
  }

  /** Adds the groups that are defined at run time. A group of code wins over one of the same name. */
  addRuntimeGroups(runtime: RuntimeGroups): void {
    this.#runtime = runtime;
  }

  /** All groups of now; the core group has the empty name. The list is the same one while nothing changed. */
  async groups(): Promise<readonly ServedGroup[]> {
    const defined = (await this.#runtime?.groups()) ?? NONE;
    if (this.#all?.defined !== defined) {
      const others = defined.filter(({ group }) => !this.#groups.has(group));
      this.#all = { defined, groups: [...this.#groups.values(), ...others] };
    }
    return this.#all.groups;
  }

  async version(
    group: string,
    version: string,
  ): Promise<{ readonly group: ServedGroup; readonly version: ServedVersion } | undefined> {
    const found = this.#groups.get(group) ?? (await this.groups()).find((candidate) => candidate.group === group);
    const served = found?.versions.find((candidate) => candidate.version === version);
    return found === undefined || served === undefined ? undefined : { group: found, version: served };
  }

  /** A kind by its plural, in the preferred version. */
  async resource(group: string, plural: string): Promise<ServedResource | undefined> {
    const found = this.#groups.get(group) ?? (await this.groups()).find((candidate) => candidate.group === group);
    for (const version of found?.versions ?? []) {
      const resource = version.resources.find(({ served }) => served.plural === plural);
      if (resource !== undefined) return resource;
    }
    return undefined;
  }

  #serveVersion(builder: GroupBuilder, version: string): ServedVersion {
    const kinds = builder.kinds.filter((kind) => kind.versions === undefined || kind.versions.includes(version));
    return {
      version,
      resources: kinds.map((kind) => this.#serve(builder, version, kind)),
      routes: builder.routes ?? [],
    };
  }

  #serve(
    builder: GroupBuilder,
    version: string,
    { declaration, hooks, storage: own, connecters = [] }: KindRegistration,
  ): ServedResource {
    const served = serveKind(builder.group, version, declaration);
    const storage = own?.() ?? servedStorage(this.#makeStorage, served, builder, hooks);
    return {
      served,
      storage,
      connecters: connecters.map((connecter) => guarded(connecter, served, storage, this.#use)),
    };
  }
}

function checkKinds({ group, versions, kinds }: GroupBuilder): void {
  const seen = new Set<string>();
  for (const { declaration, versions: own, connecters = [] } of kinds) {
    const { kind, plural, singular = kind.toLowerCase(), shortNames = [] } = declaration;
    for (const name of new Set([kind, plural, singular, ...shortNames])) {
      if (seen.has(name)) throw new Error(`group ${group}: ${name} is registered twice`);
      seen.add(name);
    }
    if (own?.length === 0) throw new Error(`group ${group}: kind ${kind} has no version`);
    const subresources = ["status", "restore", ...connecters.map((connecter) => connecter.subresource)];
    const twice = subresources.find((subresource, index) => subresources.indexOf(subresource) !== index);
    if (twice !== undefined) throw new Error(`group ${group}: kind ${kind} has the subresource ${twice} twice`);
    const unknown = own?.find((version) => !versions.includes(version));
    if (unknown !== undefined)
      throw new Error(`group ${group}: kind ${kind} names version ${unknown}, which the group does not have`);
  }
}

/** Puts the groups' own authorizers before the chain's end. */
export function groupAuthorizer(registry: ResourceRegistry): Authorizer {
  return async function askGroup(attributes) {
    const found = await registry.version(attributes.group, attributes.version);
    return (await found?.group.authorizer?.(attributes)) ?? { decision: "no-opinion" };
  };
}
