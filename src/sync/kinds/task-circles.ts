import { circleOf, type Flow, registryIdentity } from "../../mirror/index.ts";
import type { KindKey, ResourceClient, ResourceObject, StatusCause } from "../../resources/index.ts";
import { LOCAL_REGISTRY, REGISTRIES, SYNC_TASKS } from "./names.ts";
import type { RegistrySpec } from "./registry.ts";
import type { SyncTaskSpec } from "./sync-task.ts";

/** The task that is written, and where. */
export interface WrittenTask {
  readonly namespace: string;
  readonly name: string;
  readonly spec: SyncTaskSpec;
  /** By which name and port its writer calls this server. */
  readonly host: string | undefined;
}

/** Objects read at a time. */
const PAGE = 500;

/**
 * Whether a task would read what it writes, by itself or by way of tasks that are there, of any namespace. Registries
 * are compared by their addresses; one with the address of this server is this server.
 */
export async function circleCauses(written: WrittenTask, client: ResourceClient): Promise<StatusCause[]> {
  const { namespace, name, spec, host } = written;
  const registries = new Map<string, string>();
  const own = host === undefined ? undefined : registryIdentity(host);
  for await (const { metadata, spec: registry } of objects<RegistrySpec>(REGISTRIES, client)) {
    const identity = registryIdentity(registry?.url ?? "");
    registries.set(key(metadata.namespace, metadata.name), identity === own ? LOCAL_REGISTRY : identity);
  }
  const flowOf = (place: string | undefined, task: string, { source, targets }: SyncTaskSpec): Flow => {
    const identified = <T extends { readonly registry: string }>(rule: T): T => {
      const named = key(place, rule.registry);
      // One that is not there yet is another than all that are.
      const registry = rule.registry === LOCAL_REGISTRY ? LOCAL_REGISTRY : (registries.get(named) ?? named);
      return { ...rule, registry };
    };
    return { task, source: identified(source), targets: targets.map(identified) };
  };
  const others: Flow[] = [];
  for await (const { metadata, spec: other } of objects<SyncTaskSpec>(SYNC_TASKS, client)) {
    const isItself = metadata.namespace === namespace && metadata.name === name;
    if (other === undefined || isItself || metadata.deletionTimestamp !== undefined) continue;
    // Who writes a task may not know what there is elsewhere.
    const shown = metadata.namespace === namespace ? metadata.name : "a task of another namespace";
    others.push(flowOf(metadata.namespace, shown, other));
  }
  const circle = circleOf(flowOf(namespace, name, spec), others);
  if (circle === undefined) return [];
  const { registry } = spec.targets[circle.target] ?? { registry: "" };
  const way = circle.through.length === 0 ? "" : ` by way of ${circle.through.join(" and ")}`;
  const message = `Invalid value: ${JSON.stringify(registry)}: the task would write to repositories that it reads from${way}`;
  return [{ reason: "FieldValueInvalid", field: `spec.targets[${circle.target}].repository`, message }];
}

function key(namespace: string | undefined, name: string): string {
  return `${namespace ?? ""}/${name}`;
}

async function* objects<Spec>(kind: KindKey, client: ResourceClient): AsyncIterable<ResourceObject<Spec>> {
  let token: string | undefined;
  do {
    const page = await client.list<Spec>(kind, {
      limit: PAGE,
      ...(token === undefined ? {} : { continue: token }),
    });
    yield* page.items as readonly ResourceObject<Spec>[];
    token = page.continue;
  } while (token !== undefined);
}
