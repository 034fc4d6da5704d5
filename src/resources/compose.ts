import { systemIdentity } from "../access/index.ts";
import type { Clock, Database, Log } from "../platform/index.ts";
import type { Authorizer } from "./authorizer.ts";
import type { KindKey, ResourceClient } from "./client.ts";
import { builtInGroups, PRESENT_KINDS } from "./core/index.ts";
import { DefinedGroups } from "./definitions/defined-groups.ts";
import { DefinitionCleaner } from "./definitions/definition-cleaner.ts";
import { platformGroup } from "./definitions/platform-group.ts";
import { DEFINITIONS } from "./definitions/resource-definition.ts";
import { DependentCollector } from "./upkeep/dependent-collector.ts";
import { createWithhold } from "./embedded/index.ts";
import { GeneralStorage, type GeneralStoragePorts } from "./storage/general-storage.ts";
import type { GroupBuilder } from "./kinds/group-builder.ts";
import { InProcessClient } from "./in-process-client.ts";
import { splitApiVersion } from "./kinds/kind.ts";
import { OwnerStore } from "./storage/owner-store.ts";
import { ResourceMaintenance, type ResourceStep } from "./upkeep/resource-maintenance.ts";
import { ResourceRegistry, type StorageFactory } from "./kinds/resource-registry.ts";
import { ResourceStore } from "./storage/resource-store.ts";
import type { RequestContext, Storage } from "./storage/storage.ts";
import { UpkeepStore } from "./upkeep/upkeep-store.ts";
import { UsageStatistics } from "./upkeep/usage.ts";
import { createUseRule, type UseRule } from "./use/index.ts";
import { watch } from "./watch/watch.ts";
import { hubName } from "./watch/watch-hub.ts";

/** What the resource kernel works with. */
export interface ResourcePorts {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly hubs: DurableObjectNamespace;
  /** Puts a step of upkeep off to a queue, `delay` seconds from now. */
  readonly enqueue: (step: ResourceStep, delay: number) => Promise<void>;
  /** Work to finish after the answer. */
  readonly background: (work: Promise<unknown>) => void;
  /** How long a definition written by another isolate may go unseen, in milliseconds. */
  readonly staleness: number;
  /** Groups besides the kernel's own. */
  readonly groups: readonly GroupBuilder[];
  /** What decides about requests; asked for when it is needed, since it is made after the kinds. */
  readonly authorizer: () => Authorizer;
  /** The kind whose objects are secrets: who names an object is asked whether they may use the secrets behind it. */
  readonly secretKind: KindKey;
  /** Told of each kind of which this isolate wrote an object, after the write. */
  readonly changed?: (kind: KindKey) => void;
}

/** The resource kernel, put together. */
export interface Resources {
  readonly registry: ResourceRegistry;
  readonly client: ResourceClient;
  readonly use: UseRule;
  readonly maintenance: ResourceMaintenance;
  readonly usage: UsageStatistics;
  /** Puts off to the queue what is too long for a request. */
  readonly defer: (step: ResourceStep) => Promise<void>;
}

/** As whom the platform acts on its own. */
const SYSTEM: RequestContext = {
  identity: systemIdentity("system:entrepot"),
  dryRun: false,
  fieldManager: "entrepot",
  warn: () => {},
};

/** @throws {Error} if a group or a kind is registered wrongly or twice */
export function createResources(ports: ResourcePorts): Resources {
  const { database, clock, log, hubs, enqueue, background } = ports;
  const store = new ResourceStore(database, clock);
  const owners = new OwnerStore(database);
  const upkeep = new UpkeepStore(database);
  const dependents = new DependentCollector({
    store,
    owners,
    log,
    enqueue: (step) => enqueue(step, 0),
    storageOf: async ({ group, plural }) => {
      const storage = (await registry.resource(group, plural))?.storage;
      return storage !== undefined && isWritable(storage) ? storage : undefined;
    },
    context: SYSTEM,
  });
  const changed = (kind: KindKey, rv: number): void => {
    ports.changed?.(kind);
    const hub = hubs.get(hubs.idFromName(hubName(kind))) as unknown as { poke(rv: number): Promise<void> };
    // A poke that is lost costs time, not changes: hubs with watchers also look for themselves.
    background(hub.poke(rv).catch((error: unknown) => log.debug("watch-hub.poke-failed", { error })));
  };
  const use = createUseRule({
    authorizer: ports.authorizer,
    resource: (group, plural) => registry.resource(group, plural),
    secretKind: ports.secretKind,
    context: SYSTEM,
  });
  const withhold = createWithhold(async (apiVersion, kind) => {
    const [group, version] = splitApiVersion(apiVersion);
    const found = await registry.version(group, version);
    return found?.version.resources.find(({ served }) => served.kind === kind)?.served.schema;
  });
  const storagePorts: GeneralStoragePorts = {
    store,
    owners,
    clock,
    changed,
    dependents,
    watch: (served, query) => watch({ store, hubs }, served, query),
    use,
    withhold,
  };
  const makeStorage: StorageFactory = (kind, admission, hooks) =>
    new GeneralStorage(kind, admission, storagePorts, hooks);
  const registry = new ResourceRegistry(makeStorage, use);
  const defined = new DefinedGroups({ store, makeStorage, clock, staleness: ports.staleness });
  const cleaner = new DefinitionCleaner({
    store,
    owners,
    context: SYSTEM,
    makeStorage,
    definitions: async () => (await registry.resource(DEFINITIONS.group, DEFINITIONS.plural))?.storage,
    enqueue,
  });
  registry.addRuntimeGroups(defined);
  for (const group of builtInGroups({ store: upkeep, clock })) registry.register(group);
  registry.register(
    platformGroup({
      definitions: {
        store,
        clock,
        changed: () => defined.forget(),
        dropObjects: (name) => cleaner.begin(name),
      },
      apps: { registry: () => registry, owners, clock, authorizer: ports.authorizer },
    }),
  );
  for (const group of ports.groups) registry.register(group);
  const client = new InProcessClient(() => registry, SYSTEM);
  for (const group of ports.groups) group.onStart?.({ client });
  return {
    registry,
    client,
    use,
    maintenance: new ResourceMaintenance({
      store: upkeep,
      dependents,
      cleaner,
      collections: {
        storageOf: async ({ group, plural }) => (await registry.resource(group, plural))?.storage,
        context: SYSTEM,
        log,
      },
      enqueue,
      present: PRESENT_KINDS,
      changed,
      clock,
      log,
    }),
    defer: (step) => enqueue(step, 0),
    usage: new UsageStatistics({ store: upkeep, database, clock }),
  };
}

function isWritable(storage: Storage): storage is Storage & Required<Pick<Storage, "update" | "delete">> {
  return storage.update !== undefined && storage.delete !== undefined;
}
