import type { Clock } from "../../platform/index.ts";
import type { ServedGroup, ServedResource, ServedVersion } from "../kinds/api-model.ts";
import type { ServedKind } from "../kinds/kind.ts";
import type { ResourceObject } from "../objects/object.ts";
import { type RuntimeGroups, servedStorage, type StorageFactory } from "../kinds/resource-registry.ts";
import type { ResourceStore } from "../storage/resource-store.ts";
import { completeSchema } from "../schema/serve-kind.ts";
import type { StorageHooks } from "../storage/storage-hooks.ts";
import { byPriority } from "../kinds/version-priority.ts";
import {
  DEFINITIONS,
  type DefinitionSpec,
  type DefinitionVersion,
  MAX_DEFINITIONS,
  schemaOf,
} from "./resource-definition.ts";

/** What serving defined kinds needs. */
export interface DefinedGroupsPorts {
  readonly store: ResourceStore;
  readonly makeStorage: StorageFactory;
  readonly clock: Clock;
  /** How long definitions written by another isolate may go unseen, in milliseconds. */
  readonly staleness: number;
}

/** A group that is served, and the definitions that it was made of. */
interface MadeGroup {
  readonly madeOf: string;
  readonly group: ServedGroup;
}

/**
 * The groups that `ResourceDefinition`s make. What was read is good for a short while, and not past a write in this
 * isolate. As long as its definitions stay the same a group is the same object, and as long as all groups do, so is the
 * list: compiled schemas and rules, and documents about them, are kept by it.
 */
export class DefinedGroups implements RuntimeGroups {
  readonly #ports: DefinedGroupsPorts;
  #made: ReadonlyMap<string, MadeGroup> = new Map();
  #groups: readonly ServedGroup[] = [];
  #readAt = -Infinity;
  /** Counts writes of this isolate. */
  #writes = 0;

  constructor(ports: DefinedGroupsPorts) {
    this.#ports = ports;
  }

  async groups(): Promise<readonly ServedGroup[]> {
    const { clock, staleness, store } = this.#ports;
    const now = clock();
    if (now - this.#readAt < staleness) return this.#groups;
    const writes = this.#writes;
    const { items } = await store.list(DEFINITIONS, { labels: [], fields: [], limit: MAX_DEFINITIONS });
    this.#serve(items);
    // What was read before a write of this isolate is not good for the request after it.
    if (writes === this.#writes) this.#readAt = now;
    return this.#groups;
  }

  /** A definition was written: what was read is no longer good. */
  forget(): void {
    this.#writes += 1;
    this.#readAt = -Infinity;
  }

  #serve(definitions: readonly ResourceObject[]): void {
    const byGroup = Map.groupBy(definitions, (definition) => (definition.spec as DefinitionSpec).group);
    const made = new Map<string, MadeGroup>();
    for (const [name, parts] of byGroup) {
      const madeOf = parts.map(identityOf).join(",");
      const known = this.#made.get(name);
      made.set(name, known?.madeOf === madeOf ? known : { madeOf, group: this.#group(name, parts) });
    }
    this.#made = made;
    const groups = [...made.values()].map(({ group }) => group);
    const isSame = groups.length === this.#groups.length && groups.every((group, at) => group === this.#groups[at]);
    if (!isSame) this.#groups = groups;
  }

  #group(group: string, definitions: readonly ResourceObject[]): ServedGroup {
    const versions = new Map<string, ServedResource[]>();
    for (const definition of definitions) {
      const spec = definition.spec as DefinitionSpec;
      const isGoing = definition.metadata.deletionTimestamp !== undefined;
      for (const version of spec.versions.filter(({ served = true }) => served)) {
        const resource = this.#resource(spec, version, isGoing);
        versions.set(version.name, [...(versions.get(version.name) ?? []), resource]);
      }
    }
    return {
      group,
      versions: [...versions]
        .toSorted(([left], [right]) => byPriority(left, right))
        .map(([version, resources]): ServedVersion => ({ version, resources, routes: [] })),
    };
  }

  #resource(spec: DefinitionSpec, version: DefinitionVersion, isGoing: boolean): ServedResource {
    const served = servedKind(spec, version);
    const storage = servedStorage(this.#ports.makeStorage, served, {}, () => hooksOf(spec, version, isGoing));
    return { served, storage, connecters: [] };
  }
}

/** What changes whenever a definition is to be served otherwise. */
function identityOf({ metadata }: ResourceObject): string {
  return `${metadata.uid}/${metadata.generation}/${metadata.deletionTimestamp ?? ""}`;
}

/** The kind that a version of a definition makes. */
export function servedKind(spec: DefinitionSpec, version: DefinitionVersion): ServedKind {
  const { names, group, scope } = spec;
  const schema = completeSchema(schemaOf(version));
  return {
    group,
    version: version.name,
    kind: names.kind,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    listKind: names.listKind ?? `${names.kind}List`,
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    scope,
    description: schema.description ?? "",
    schema,
    columns: columnsOf(version),
    selectableFields: (version.selectableFields ?? []).map(({ jsonPath }) => jsonPath),
    hasStatus: version.subresources?.status !== undefined,
    otherSchemas: spec.versions.filter((other) => other !== version).map(schemaOf),
    ...(version.subresources?.scale === undefined ? {} : { scale: version.subresources.scale }),
  };
}

/** The columns of a version. */
export function columnsOf({ additionalPrinterColumns = [] }: DefinitionVersion): ServedKind["columns"] {
  return additionalPrinterColumns.map(({ format, description, priority = 0, ...column }) => ({
    ...column,
    priority,
    ...(format === undefined ? {} : { format }),
    ...(description === undefined ? {} : { description }),
  }));
}

/**
 * A deprecated version warns at each request. Objects of a definition that is going can be let go of by their finalizers,
 * and that is all they are served for.
 */
function hooksOf(spec: DefinitionSpec, version: DefinitionVersion, isGoing: boolean): StorageHooks {
  const sentence = version.deprecationWarning ?? `${spec.group}/${version.name} ${spec.names.kind} is deprecated`;
  return {
    ...(isGoing ? { refuse: ["create", "restore"] } : {}),
    ...(version.deprecated === true ? { begin: ({ context }) => context.warn(sentence) } : {}),
  };
}
