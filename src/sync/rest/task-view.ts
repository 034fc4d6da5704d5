import type { ResourceObject } from "../../resources/index.ts";
import {
  REGISTRIES,
  type RegistrySpec,
  type RegistryStatus,
  type SyncTaskSpec,
  type SyncTaskStatus,
  timestamp,
  upcomingRuns,
} from "../kinds/index.ts";
import { type NumberedKind, parseExecutionName, statusWord } from "../store/index.ts";
import { displayName, updatedAt } from "./object-names.ts";
import { nameOfNumber } from "./objects.ts";
import { viewRegistry } from "./registry-view.ts";
import type { RestCall } from "./route.ts";
import { flatRules } from "./task-rules.ts";
import type { FlatRules, TaskChange, TaskView } from "./task-schemas.ts";

export type TaskObject = ResourceObject<SyncTaskSpec, SyncTaskStatus>;

/** Makes tasks readable for clients; what several tasks of one answer have in common is read once. */
export function taskViewer(call: RestCall): (id: number, object: TaskObject) => Promise<TaskView> {
  const { ids, clock } = call.services;
  const known = new Map<string, Promise<unknown>>();
  const once = <T>(key: readonly string[], read: () => Promise<T>): Promise<T> => {
    const text = JSON.stringify(key);
    const before = known.get(text) as Promise<T> | undefined;
    const reading = before ?? read();
    known.set(text, reading);
    return reading;
  };
  const numberOf = (kind: NumberedKind, namespace: string, name: string) =>
    once(["number", kind, namespace, name], () => ids.idOf(kind, { namespace, name }));
  const registryAt = (namespace: string, name: string, id: number) =>
    once(["registry", namespace, name], () => registryOf(call, namespace, name, id));

  return async function view(id, object) {
    const { metadata, spec, status } = object;
    const { namespace = "" } = metadata;
    const { source_registry, target_registry, notification_channels, ...flat } = flatRules(spec ?? {});
    const source = await numberOf("registry", namespace, source_registry);
    const target = await numberOf("registry", namespace, target_registry);
    const channels: number[] = [];
    for (const name of notification_channels) channels.push(await numberOf("channel", namespace, name));
    const sourceObject = await registryAt(namespace, source_registry, source);
    const targetObject = await registryAt(namespace, target_registry, target);
    return {
      id,
      name: displayName(metadata),
      namespace,
      description: spec?.description ?? "",
      ...flat,
      tag_include: [...flat.tag_include],
      tag_exclude: [...flat.tag_exclude],
      architectures: [...flat.architectures],
      source_registry: source,
      target_registry: target,
      notification_channel_ids: JSON.stringify(channels),
      created_at: metadata.creationTimestamp,
      updated_at: updatedAt(metadata),
      ...(sourceObject === undefined ? {} : { source_registry_obj: sourceObject }),
      ...(targetObject === undefined ? {} : { target_registry_obj: targetObject }),
      rules: rulesOf(spec),
      running: status?.conditions?.some(({ type, status: holds }) => type === "Running" && holds === "True") ?? false,
      last_execution: lastExecution(status),
      // Of this moment: what the status says is written later.
      next_runs: upcomingRuns(object, clock()).map((time) => timestamp(time.getTime())),
    };
  };
}

function rulesOf(spec: SyncTaskSpec | undefined): Record<string, unknown> {
  const { description: _description, ...rules } = spec ?? {};
  return rules;
}

function lastExecution(status: SyncTaskStatus | undefined): TaskView["last_execution"] {
  const last = status?.lastExecution;
  if (last === undefined) return null;
  return {
    id: parseExecutionName(last.name)?.id ?? null,
    name: last.name,
    status: statusWord(last.state),
    state: last.state,
    start_time: last.startedAt ?? null,
    end_time: last.endedAt ?? null,
    error_message: last.message ?? "",
  };
}

async function registryOf(call: RestCall, namespace: string, name: string, id: number) {
  if (!(await call.may({ verb: "get", kind: REGISTRIES }, namespace, name))) return undefined;
  const found = await call.client.find<RegistrySpec, RegistryStatus>(REGISTRIES, { namespace, name });
  return found === undefined ? undefined : viewRegistry(id, found);
}

/**
 * What a request says in the fields of the older shape, with names for numbers.
 * @throws {RestFault} 400, if there is no such registry or channel
 */
export async function givenRules(call: RestCall, change: TaskChange): Promise<Partial<FlatRules>> {
  const { source_registry: source, target_registry: target, notification_channel_ids: channels } = change;
  const { name: _name, description: _description, rules: _rules, ...others } = change;
  const { source_registry: _source, target_registry: _target, notification_channel_ids: _ids, ...flat } = others;
  const given: Record<string, unknown> = { ...flat };
  if (source !== undefined) given["source_registry"] = await nameOfNumber(call, "registry", source, "source_registry");
  if (target !== undefined) given["target_registry"] = await nameOfNumber(call, "registry", target, "target_registry");
  if (channels !== undefined) {
    const field = "notification_channel_ids";
    given["notification_channels"] = await Promise.all(channels.map((id) => nameOfNumber(call, "channel", id, field)));
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
