import { type RegistryConfig, type TaskConfig, toSyncYaml } from "../../mirror/index.ts";
import type { ResourceObject } from "../../resources/index.ts";
import { LOCAL_REGISTRY, REGISTRIES, type RegistrySpec, SYNC_TASKS, type SyncTaskSpec } from "../kinds/index.ts";
import { displayName } from "./object-names.ts";
import { allObjects } from "./objects.ts";
import type { RestCall } from "./route.ts";

/** Stands for a secret that there is; the export writes a variable in its place. */
const THERE = "kept";

/** The registries and tasks of a namespace as a sync.yaml, with variables for secrets. */
export async function exportConfig(call: RestCall): Promise<string> {
  const objects = await allObjects<RegistrySpec>(call, REGISTRIES, call.namespace);
  const tasks = await allObjects<SyncTaskSpec>(call, SYNC_TASKS, call.namespace);
  const names = new Map(objects.map(({ metadata }) => [metadata.name, displayName(metadata)]));
  const configs = tasks.flatMap((task) => taskConfig(task, names) ?? []);
  const used = new Set(configs.flatMap(({ spec }) => [spec.source, ...spec.targets].map(({ registry }) => registry)));
  const registries = objects.map(registryConfig);
  const isLocalNeeded = used.has(LOCAL_REGISTRY) && !registries.some(({ name }) => name === LOCAL_REGISTRY);
  return toSyncYaml({ registries: [...registries, ...(isLocalNeeded ? [LOCAL] : [])], tasks: configs });
}

const LOCAL: RegistryConfig = {
  name: LOCAL_REGISTRY,
  type: "local",
  insecure: false,
  rateLimit: { qps: 0, reserve: 0 },
  concurrency: 3,
};

function registryConfig({ metadata, spec }: ResourceObject<RegistrySpec>): RegistryConfig {
  return {
    name: displayName(metadata),
    type: spec?.type ?? "generic",
    ...(spec?.url === undefined ? {} : { url: spec.url }),
    ...(spec?.username === undefined ? {} : { username: spec.username }),
    ...(spec?.passwordRef === undefined ? {} : { password: THERE }),
    ...(spec?.tokenRef === undefined ? {} : { token: THERE }),
    insecure: spec?.insecure ?? false,
    rateLimit: { qps: spec?.rateLimit.qps ?? 0, reserve: 0 },
    concurrency: spec?.concurrency ?? LOCAL.concurrency,
  };
}

function taskConfig(
  { metadata, spec }: ResourceObject<SyncTaskSpec>,
  names: ReadonlyMap<string, string>,
): TaskConfig | undefined {
  if (spec === undefined) return undefined;
  const { description, ...rules } = spec;
  const nameOf = (registry: string) => names.get(registry) ?? registry;
  return {
    name: displayName(metadata),
    ...(description === undefined ? {} : { description }),
    spec: {
      ...rules,
      source: { ...rules.source, registry: nameOf(rules.source.registry) },
      targets: rules.targets.map((target) => ({ ...target, registry: nameOf(target.registry) })),
    },
  };
}
